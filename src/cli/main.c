// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"
#include "cli/command.h"

#include <argp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_ERROR = 1, EXIT_USAGE = 2, NAME_MAX_BYTES = 64 };

const char *argp_program_version = "wasl " WASL_VERSION;

static const struct command *const commands[] = {
    &command_init,
    &command_serve,
    &command_enroll_code,
    &command_enroll_join,
    &command_enroll_revoke,
    &command_token,
    &command_import,
    &command_replay,
    &command_status,
    &command_review_list,
    &command_review_show,
    &command_review_resolve,
    &command_deadletter_list,
    &command_deadletter_retry,
    &command_stock,
    &command_verify,
    &command_rebuild,
    &command_export,
    &command_trace,
    &command_sim,
    &command_lab,
    &command_central_recovered,
    &command_central_topics,
    &command_central_migrate,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static bool begins_with_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    return n > 0 && strncmp(text, word, n) == 0 && (text[n] == '\0' || text[n] == ' ');
}

// Commands under one word ("enroll"), or all of them.
static int list_commands(FILE *to, const char *word)
{
    int count = 0;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (word == NULL || begins_with_word(commands[i]->words, word)) {
            (void)fprintf(to, "  %-18s %s\n", commands[i]->words, commands[i]->summary);
            count++;
        }
    }
    return count;
}

static int help(const char *word)
{
    (void)printf("Usage: wasl %s%s[--help] ...\n\n", word != NULL ? word : "COMMAND",
                 word != NULL ? " COMMAND " : " ");
    if (word == NULL) {
        (void)printf("Keeps the tills and the stock of a chain right when the network is not "
                     "there.\n\n");
    }
    (void)list_commands(stdout, word);
    (void)printf("\nEach command has --help. Errors go to stderr in one line; exit code 1, or 2 "
                 "for bad usage.\n");
    return EXIT_SUCCESS;
}

static int PRINTF_LIKE(1, 2) usage(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)fprintf(stderr, "wasl: ");
    (void)vfprintf(stderr, format, list);
    (void)fprintf(stderr, " (see wasl --help)\n");
    va_end(list);
    return EXIT_USAGE;
}

// One line, whatever is in the text.
static void tell(const char *name, const struct err *e)
{
    char text[ERR_TEXT_MAX * STR_ESCAPE_MAX];
    struct str message = str_of(err_message(e));
    if (message.n >= ERR_TEXT_MAX) {
        message.n = ERR_TEXT_MAX - 1;
    }
    (void)fprintf(stderr, "%s: %.*s\n", name, (int)str_escape(text, message), text);
}

static char help_word[] = "--help";

static int run(const struct command *command, int argc, char **argv)
{
    char name[NAME_MAX_BYTES];
    struct err e = {0};
    (void)snprintf(name, sizeof name, "wasl %s", command->words);
    argv[0] = name;
    if (argc > 1 && strcmp(argv[1], "-h") == 0) {
        argv[1] = help_word; // argp itself knows only "-?"
    }
    enum err_code code = command->run(argc, argv, &e);
    bool told = code == ERR_USAGE && e.text[0] == '\0';
    if (code == ERR_OK && fflush(stdout) != 0) {
        code = err_set(&e, ERR_IO, "the output could not be written");
    }
    if (code == ERR_OK) {
        return EXIT_SUCCESS;
    }
    e.code = code;
    if (!told) {
        tell(name, &e);
    }
    return code == ERR_USAGE ? EXIT_USAGE : EXIT_ERROR;
}

// The row whose words are the first one or two of argv, and how many that were.
static const struct command *find(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *words = commands[i]->words;
        const char *second = strchr(words, ' ');
        if (!begins_with_word(words, argv[1])) {
            continue;
        }
        if (second == NULL || (argc > 2 && strcmp(second + 1, argv[2]) == 0)) {
            *ret_words = second == NULL ? 1 : 2;
            return commands[i];
        }
    }
    return NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0 || strcmp(word, "-h") == 0 ||
           strcmp(word, "help") == 0;
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (begins_with_word(commands[i]->words, word)) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    int words = 0;
    argp_err_exit_status = EXIT_USAGE;
    if (argc < 2) {
        return usage("a command is needed");
    }
    if (is_help(argv[1])) {
        return help(NULL);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)printf("%s\n", argp_program_version);
        return EXIT_SUCCESS;
    }
    const struct command *command = find(argc, argv, &words);
    if (command != NULL) {
        return run(command, argc - words, argv + words);
    }
    if (!is_group(argv[1])) {
        return usage("there is no command \"%s\"", argv[1]);
    }
    if (argc > 2 && is_help(argv[2])) {
        return help(argv[1]);
    }
    return argc > 2 ? usage("there is no command \"%s %s\"", argv[1], argv[2])
                    : usage("\"%s\" needs a second word", argv[1]);
}
