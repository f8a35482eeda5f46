// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"
#include "base/zip.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { MAX = 4 << 20 };

static char bytes[1 << 20];
static struct zip *z;
static struct buf packed;
static struct buf back;
static struct err e;

static void begin(void)
{
    assert_int_equal(zip_new(3, &z), ERR_OK);
    buf_init(&packed, MAX);
    buf_init(&back, MAX);
}

static void end(void)
{
    zip_free(z);
    buf_fini(&packed);
    buf_fini(&back);
}

static void fill_half_random(size_t n)
{
    struct rng r;
    rng_init(&r, n);
    rng_fill(&r, bytes, n / 2);
    memset(bytes + n / 2, 'x', n - n / 2);
}

TEST(zip__unpacks_what_it_packed_for_every_size_and_level)
{
    static const size_t sizes[] = {0, 1, 100, 16383, 16384, 16385, 131072, 500000, 1 << 20};
    static const int levels[] = {1, 3, 19};
    for (size_t l = 0; l < COUNT_OF(levels); l++) {
        begin();
        zip_free(z);
        assert_int_equal(zip_new(levels[l], &z), ERR_OK);
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            struct str from = str_make(bytes, sizes[i]);
            fill_half_random(sizes[i]);
            buf_reset(&packed);
            buf_reset(&back);
            assert_int_equal(zip_pack(z, from, &packed), ERR_OK);
            assert_int_equal(zip_unpack(z, buf_str(&packed), sizes[i], &back), ERR_OK);
            assert_true(str_equal(buf_str(&back), from));
        }
        end();
    }
}

TEST(zip__makes_repeated_text_much_smaller)
{
    begin();
    memset(bytes, 'a', 100000);
    assert_int_equal(zip_pack(z, str_make(bytes, 100000), &packed), ERR_OK);
    assert_true(packed.len < 1000);
    end();
}

TEST(zip__appends_behind_what_is_there)
{
    begin();
    assert_int_equal(buf_append_str(&packed, STR("head")), ERR_OK);
    assert_int_equal(zip_pack(z, STR("content"), &packed), ERR_OK);
    assert_memory_equal(packed.data, "head", 4);
    buf_consume(&packed, 4);
    assert_int_equal(buf_append_str(&back, STR("head ")), ERR_OK);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 100, &back), ERR_OK);
    assert_true(str_is(buf_str(&back), "head content"));
    end();
}

TEST(zip__refuses_a_level_out_of_range)
{
    z = NULL;
    assert_int_equal(zip_new(0, &z), ERR_INVALID);
    assert_int_equal(zip_new(20, &z), ERR_INVALID);
    assert_int_equal(zip_new(-5, &z), ERR_INVALID);
    assert_null(z);
    zip_free(NULL);
}

TEST(zip__packs_nothing_where_the_buffer_ends)
{
    begin();
    fill_half_random(1000);
    struct buf small;
    buf_init(&small, 100);
    assert_int_equal(buf_append_str(&small, STR("head")), ERR_OK);
    assert_int_equal(zip_pack(z, str_make(bytes, 1000), &small), ERR_LIMIT);
    assert_true(str_is(buf_str(&small), "head"));
    memset(bytes, 'x', 1000); // whose bound passes 100 bytes, but not what comes out
    assert_int_equal(zip_pack(z, str_make(bytes, 1000), &small), ERR_OK);
    buf_fini(&small);
    end();
}

TEST(zip__refuses_a_bomb_that_tells_its_size_before_anything_grows)
{
    begin();
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(zip_pack(z, str_make(bytes, sizeof bytes), &packed), ERR_OK);
    assert_int_equal(zip_unpack(z, buf_str(&packed), sizeof bytes - 1, &back), ERR_LIMIT);
    assert_int_equal(back.cap, 0);
    assert_int_equal(zip_unpack(z, buf_str(&packed), sizeof bytes, &back), ERR_OK);
    end();
}

// A frame without the size of its content, as a stream of unknown length gives.
static void pack_untold(size_t n)
{
    ZSTD_CStream *s = ZSTD_createCStream();
    char *room = NULL;
    assert_int_equal(buf_reserve(&packed, MAX / 2, &room), ERR_OK);
    ZSTD_inBuffer in = {bytes, n, 0};
    ZSTD_outBuffer out = {room, MAX / 2, 0};
    assert_false(ZSTD_isError(ZSTD_compressStream2(s, &out, &in, ZSTD_e_continue)));
    assert_int_equal(ZSTD_compressStream2(s, &out, &in, ZSTD_e_end), 0);
    buf_grow_by(&packed, out.pos);
    ZSTD_freeCStream(s);
    assert_true(ZSTD_getFrameContentSize(room, out.pos) == ZSTD_CONTENTSIZE_UNKNOWN);
}

TEST(zip__refuses_a_bomb_that_hides_its_size)
{
    begin();
    memset(bytes, 0, sizeof bytes);
    pack_untold(sizeof bytes);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 100000, &back), ERR_LIMIT);
    assert_int_equal(back.len, 0);
    assert_true(back.cap < 300000);
    assert_int_equal(zip_unpack(z, buf_str(&packed), sizeof bytes - 1, &back), ERR_LIMIT);
    assert_int_equal(zip_unpack(z, buf_str(&packed), sizeof bytes, &back), ERR_OK);
    assert_int_equal(back.len, sizeof bytes);
    end();
}

TEST(zip__fills_the_last_room_of_a_buffer_from_a_frame_of_untold_size)
{
    begin();
    memset(bytes, 'x', 1000);
    pack_untold(1000);
    struct buf small;
    buf_init(&small, 1004);
    assert_int_equal(buf_append_str(&small, STR("head")), ERR_OK);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 5000, &small), ERR_OK);
    assert_int_equal(small.len, 1004);
    small.len = 5;
    assert_int_equal(zip_unpack(z, buf_str(&packed), 5000, &small), ERR_LIMIT);
    assert_int_equal(small.len, 5);
    buf_fini(&small);
    end();
}

TEST(zip__reads_an_empty_last_block_when_the_limit_is_reached_already)
{
    begin();
    memset(bytes, 'x', 1000);
    ZSTD_CStream *s = ZSTD_createCStream();
    char *room = NULL;
    assert_int_equal(buf_reserve(&packed, 10000, &room), ERR_OK);
    ZSTD_inBuffer in = {bytes, 1000, 0};
    ZSTD_outBuffer out = {room, 10000, 0};
    assert_int_equal(ZSTD_compressStream2(s, &out, &in, ZSTD_e_flush), 0);
    size_t flushed = out.pos;
    assert_int_equal(ZSTD_compressStream2(s, &out, &in, ZSTD_e_end), 0);
    assert_true(out.pos > flushed);
    buf_grow_by(&packed, out.pos);
    ZSTD_freeCStream(s);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 1000, &back), ERR_OK);
    assert_int_equal(back.len, 1000);
    assert_int_equal(zip_unpack(z, str_make(packed.data, flushed), 2000, &back), ERR_PARSE);
    assert_int_equal(back.len, 1000);
    end();
}

TEST(zip__counts_several_frames_together)
{
    begin();
    assert_int_equal(zip_pack(z, STR("one"), &packed), ERR_OK);
    assert_int_equal(zip_pack(z, STR("three"), &packed), ERR_OK);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 7, &back), ERR_LIMIT);
    assert_int_equal(back.len, 0);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 8, &back), ERR_OK);
    assert_true(str_is(buf_str(&back), "onethree"));
    end();
}

TEST(zip__stops_at_the_end_of_the_buffer_too)
{
    begin();
    memset(bytes, 'x', 1000);
    assert_int_equal(zip_pack(z, str_make(bytes, 1000), &packed), ERR_OK);
    struct buf small;
    buf_init(&small, 999);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 5000, &small), ERR_LIMIT);
    assert_int_equal(small.len, 0);
    buf_fini(&small);
    end();
}

TEST(zip__refuses_what_is_cut_changed_or_no_zstd)
{
    begin();
    fill_half_random(1000);
    assert_int_equal(zip_pack(z, str_make(bytes, 1000), &packed), ERR_OK);
    for (size_t n = 0; n < packed.len; n++) {
        enum err_code rc = zip_unpack(z, str_make(packed.data, n), 2000, &back);
        if (rc != ERR_PARSE) {
            fail_msg("cut to %zu of %zu bytes: %s", n, packed.len, err_name(rc));
        }
        assert_int_equal(back.len, 0);
    }
    assert_int_equal(zip_unpack(z, STR("{\"no\":\"zstd\"}"), 2000, &back), ERR_PARSE);
    packed.data[0] = 'x';
    assert_int_equal(zip_unpack(z, buf_str(&packed), 2000, &back), ERR_PARSE);
    packed.data[0] = '\x28';
    assert_int_equal(zip_unpack(z, buf_str(&packed), 2000, &back), ERR_OK); // z is still good
    end();
}

TEST(zip__refuses_a_frame_with_bytes_behind_it)
{
    begin();
    assert_int_equal(zip_pack(z, STR("content"), &packed), ERR_OK);
    assert_int_equal(buf_append_str(&packed, STR("garbage")), ERR_OK);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 100, &back), ERR_PARSE);
    assert_int_equal(back.len, 0);
    end();
}

TEST(zip__refuses_a_frame_that_wants_a_huge_window)
{
    begin();
    // Magic number; no content size, a window of 2^31 bytes; one empty last block.
    static const char frame[] = "\x28\xB5\x2F\xFD\x00\xA8\x01\x00\x00";
    assert_int_equal(zip_unpack(z, str_make(frame, 9), 100, &back), ERR_LIMIT);
    end();
}

TEST(zip__fails_cleanly_when_memory_is_refused)
{
    unit_alloc_fail(0);
    z = NULL;
    enum err_code rc = zip_new(3, &z);
    assert_true(unit_alloc_end());
    assert_int_equal(rc, ERR_NO_MEMORY);
    assert_null(z);
    begin();
    unit_alloc_fail(0);
    rc = zip_pack(z, STR("content"), &packed);
    assert_true(unit_alloc_end());
    assert_int_equal(rc, ERR_NO_MEMORY);
    assert_int_equal(zip_pack(z, STR("content"), &packed), ERR_OK);
    unit_alloc_fail(0);
    rc = zip_unpack(z, buf_str(&packed), 100, &back);
    assert_true(unit_alloc_end());
    assert_int_equal(rc, ERR_NO_MEMORY);
    assert_int_equal(zip_unpack(z, buf_str(&packed), 100, &back), ERR_OK);
    end();
}

static char path[32];

static void write_file(const void *content, size_t n)
{
    (void)snprintf(path, sizeof path, "/tmp/wasl_unit_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, n), n);
    close(fd);
}

static void write_gzip(size_t n)
{
    write_file("", 0);
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(f), Z_OK);
}

TEST(zip__reads_a_plain_file)
{
    begin();
    fill_half_random(100000);
    write_file(bytes, 100000);
    assert_int_equal(buf_append_str(&back, STR("head")), ERR_OK);
    assert_int_equal(zip_read_file(path, 100000, &back, &e), ERR_OK);
    assert_int_equal(back.len, 100004);
    assert_memory_equal(back.data + 4, bytes, 100000);
    unlink(path);
    end();
}

TEST(zip__reads_an_empty_file)
{
    begin();
    write_file("", 0);
    assert_int_equal(zip_read_file(path, 0, &back, &e), ERR_OK);
    assert_int_equal(back.len, 0);
    unlink(path);
    end();
}

TEST(zip__reads_a_gzip_file_whatever_its_name)
{
    begin();
    fill_half_random(100000);
    write_gzip(100000);
    assert_int_equal(zip_read_file(path, 100000, &back, &e), ERR_OK);
    assert_true(str_equal(buf_str(&back), str_make(bytes, 100000)));
    unlink(path);
    end();
}

TEST(zip__stops_reading_a_file_at_its_limit)
{
    begin();
    memset(bytes, 'x', sizeof bytes);
    write_gzip(sizeof bytes);
    assert_int_equal(buf_append_str(&back, STR("head")), ERR_OK);
    assert_int_equal(zip_read_file(path, sizeof bytes - 1, &back, &e), ERR_LIMIT);
    assert_non_null(strstr(e.text, path));
    assert_true(str_is(buf_str(&back), "head"));
    struct buf small;
    buf_init(&small, 1000);
    assert_int_equal(zip_read_file(path, sizeof bytes, &small, &e), ERR_LIMIT);
    assert_int_equal(small.len, 0);
    buf_fini(&small);
    unlink(path);
    write_file(bytes, 1001);
    assert_int_equal(zip_read_file(path, 1000, &back, &e), ERR_LIMIT);
    unlink(path);
    end();
}

TEST(zip__refuses_a_gzip_file_that_is_cut_or_changed)
{
    begin();
    fill_half_random(10000);
    write_gzip(10000);
    struct buf whole;
    buf_init(&whole, MAX);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *room = NULL;
    assert_int_equal(buf_reserve(&whole, 20000, &room), ERR_OK);
    buf_grow_by(&whole, fread(room, 1, 20000, f));
    fclose(f);
    unlink(path);
    static const size_t cuts[] = {5, 12, 100, 1, 8};
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        size_t n = i < 3 ? cuts[i] + 10 : whole.len - cuts[i];
        write_file(whole.data, n);
        enum err_code rc = zip_read_file(path, MAX, &back, &e);
        if (rc != ERR_PARSE || back.len != 0) {
            fail_msg("cut to %zu of %zu bytes: %s", n, whole.len, err_name(rc));
        }
        unlink(path);
    }
    whole.data[whole.len - 6] ^= 1; // within the checksum
    write_file(whole.data, whole.len);
    assert_int_equal(zip_read_file(path, MAX, &back, &e), ERR_PARSE);
    assert_non_null(strstr(e.text, path));
    assert_int_equal(back.len, 0);
    unlink(path);
    buf_fini(&whole);
    end();
}

TEST(zip__says_which_file_cannot_be_read)
{
    begin();
    assert_int_equal(zip_read_file("/nonexistent/x.csv.gz", 100, &back, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/nonexistent/x.csv.gz"));
    assert_int_equal(zip_read_file("/tmp", 100, &back, &e), ERR_IO);
    end();
}
