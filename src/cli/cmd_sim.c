// SPDX-License-Identifier: Apache-2.0
//
// The simulator reads its own arguments and judges its own result.
#include "cli/command.h"
#include "sim/sim.h"

#include <stdlib.h>

static enum err_code run(int argc, char **argv, struct err *e)
{
    (void)e;
    exit(sim_main(argc - 1, argv + 1));
}

const struct command command_sim = {"sim", "the deterministic simulator", run};
