// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "test/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[400000];

// Sends the log to a file while act runs, and reads it into text.
static void capture(void (*act)(void))
{
    char path[] = "/tmp/wasl_unit_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    log_set_fd(fd);
    act();
    log_set_fd(2);
    log_set_level(LOG_INFO);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
}

static void one_line(void)
{
    log_line(LOG_WARN, "sync", "held=%d settled=%d", 12, 7);
}

TEST(log__writes_time_level_area_and_text_in_one_line)
{
    capture(one_line);
    static const char form[] = "0000-00-00T00:00:00.000Z ";
    size_t head = strlen(form);
    assert_true(strlen(text) > head);
    for (size_t i = 0; i < head; i++) {
        assert_int_equal(text[i] >= '0' && text[i] <= '9' ? '0' : text[i], form[i]);
    }
    assert_true(memcmp(text, "2023", 4) > 0); // the year, as text
    assert_string_equal(text + head, "warn sync: held=12 settled=7\n");
}

static void all_levels(void)
{
    log_line(LOG_DEBUG, "a", "first");
    log_line(LOG_INFO, "a", "second");
    log_set_level(LOG_ERROR);
    log_line(LOG_WARN, "a", "third");
    log_line(LOG_ERROR, "a", "fourth");
    log_set_level(LOG_DEBUG);
    log_line(LOG_DEBUG, "a", "fifth");
    log_line((enum log_level)(LOG_ERROR + 1), "a", "sixth");
}

TEST(log__leaves_out_what_is_below_its_level)
{
    capture(all_levels);
    assert_null(strstr(text, "first"));
    assert_non_null(strstr(text, "info a: second"));
    assert_null(strstr(text, "third"));
    assert_non_null(strstr(text, "error a: fourth"));
    assert_non_null(strstr(text, "debug a: fifth"));
    assert_non_null(strstr(text, "error a: sixth"));
}

static void forged_line(void)
{
    log_line(LOG_INFO, "net", "%s", "x\n2026 error fake: \x1B[31m\x7F\t\xD9\x88");
}

TEST(log__escapes_control_characters_so_that_no_line_can_be_forged)
{
    capture(forged_line);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_non_null(strstr(text, "x\\x0a2026 error fake: \\x1b[31m\\x7f\\x09\xD9\x88\n"));
}

static void long_line(void)
{
    static char long_text[10000];
    memset(long_text, '\n', sizeof long_text - 1);
    static char area[1000];
    memset(area, 'a', sizeof area - 1);
    log_line(LOG_INFO, area, "%s", long_text);
}

TEST(log__cuts_a_long_line)
{
    capture(long_line);
    assert_in_range(strlen(text), 4 * 2047, 9000);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

enum { THREADS = 4, LINES = 500 };

static void *write_lines(void *arg)
{
    const char *letter = arg;
    for (int i = 0; i < LINES; i++) {
        log_line(LOG_INFO, "t", "%s%s%s%s", letter, letter, letter, letter);
    }
    return NULL;
}

static void many_threads(void)
{
    static char letters[THREADS][40];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        memset(letters[i], 'a' + i, sizeof letters[i] - 1);
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, letters[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

TEST(log__writes_lines_whole_from_several_threads)
{
    capture(many_threads);
    int lines = 0;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL && *line != '\0';
         line = strsep(&rest, "\n")) {
        const char *body = strstr(line, "info t: ");
        assert_non_null(body);
        body += strlen("info t: ");
        assert_int_equal(strlen(body), 4 * 39);
        assert_int_equal(strspn(body, (char[]){body[0], '\0'}), 4 * 39);
        lines++;
    }
    assert_int_equal(lines, THREADS * LINES);
}

static void to_nowhere(void)
{
    log_set_fd(-1);
    log_line(LOG_ERROR, "a", "nobody reads this");
}

TEST(log__gives_up_quietly_where_nothing_can_be_written)
{
    capture(to_nowhere);
    assert_string_equal(text, "");
}
