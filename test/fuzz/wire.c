// SPDX-License-Identifier: Apache-2.0
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16, PATIENCE_TURNS = 2000 };

static struct sockaddr_in here(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int wire_connect(uint16_t port)
{
    struct sockaddr_in to = here(port);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int wire_listen(uint16_t *ret_port)
{
    struct sockaddr_in at = here(0);
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    MUST(listen(fd, BACKLOG) == 0 && getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

void wire_turn(struct loop *l, int turns)
{
    for (int i = 0; i < turns; i++)
        loop_run_once(l, 0);
}

int wire_accept(struct loop *l, int fd)
{
    for (int i = 0; i < PATIENCE_TURNS; i++) {
        int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (got >= 0 || errno != EAGAIN)
            return got;
        loop_run_once(l, 1);
    }
    return -1;
}

// False at the end of what the other side says.
static bool drop_answers(int fd)
{
    char bytes[16 * 1024];
    ssize_t n;
    do {
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    } while (n > 0);
    return n < 0 && errno == EAGAIN;
}

bool wire_send(struct loop *l, int fd, struct str bytes, size_t piece)
{
    bool open = true;
    while (bytes.n > 0 && open) {
        size_t want = piece > 0 && piece < bytes.n ? piece : bytes.n;
        ssize_t n = send(fd, bytes.p, want, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        bytes = n < 0 ? bytes : str_make(bytes.p + n, bytes.n - (size_t)n);
        wire_turn(l, 1);
        open = drop_answers(fd);
    }
    wire_turn(l, 2);
    return open && drop_answers(fd);
}

void wire_close(int fd)
{
    const struct linger reset = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    (void)close(fd);
}
