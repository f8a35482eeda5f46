// SPDX-License-Identifier: Apache-2.0
#include "cli/ticket_reader.h"
#include "base/decimal.h"
#include "cli/ticket_event.h"
#include "test/unit/cli/cli_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER "ticket,time,sku,quantity,price\n"

static struct outcome o;

static void assert_told(const char *part)
{
    if (strstr(o.e.text, part) == NULL) {
        fail_msg("'%s' does not tell of '%s'", o.e.text, part);
    }
}

// ---- grouping and identity -------------------------------------------------------------------

TEST(ticket_reader__groups_lines_wherever_they_stand_in_order_of_first_appearance)
{
    fixture_tickets(HEADER "2,2020-01-01 00:00:02,a,1,1\n"
                           "1,2020-01-01 00:00:01,b,2,1.5\n"
                           "2,2020-01-01 00:09:09,c,3,2\n"
                           "3,2020-01-01 00:00:03,d,4,2\n"
                           "1,2020-01-01 00:00:01,e,-5,0\n",
                    fixture_map(""), &o);
    assert_string_equal(o.tickets, "2 sale 1577836802000 - [1 a 1 x 1] [3 c 3 x 2]\n"
                                   "1 sale 1577836801000 - [2 b 2 x 1.5] [5 e -5 x 0]\n"
                                   "3 sale 1577836803000 - [4 d 4 x 2]\n");
    assert_string_equal(o.rejects, "");
    assert_string_equal(o.header, HEADER);
    assert_int_equal(o.counts.rows, 5);
    assert_int_equal(o.counts.tickets, 3);
    assert_int_equal(o.counts.lines, 5);
}

TEST(ticket_reader__keeps_repeated_identical_lines)
{
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,a,1,1\n"
                           "1,2020-01-01 00:00:01,a,1,1\n"
                           "1,2020-01-01 00:00:01,a,1,1\n",
                    fixture_map(""), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - [1 a 1 x 1] [2 a 1 x 1] [3 a 1 x 1]\n");
}

TEST(ticket_reader__gives_gzip_and_plain_the_same_identity)
{
    static struct outcome gzip;
    struct str content = STR(HEADER "1,2020-01-01 00:00:01,a,1,1\n2,2020-01-01 00:00:01,a,1,1\n");
    fixture_tickets(content.p, fixture_map(""), &o);
    fixture_read(fixture_gzip(content), fixture_map(""), &gzip);
    assert_int_equal(gzip.code, ERR_OK);
    assert_string_equal(o.ids, gzip.ids);
    assert_string_equal(o.tickets, gzip.tickets);
    struct hash hash = hash_of(content);
    assert_true(hash_equal(&o.hash, &hash));
}

// The second of a file's tickets, by the ids as fixture_read gives them.
#define SECOND(outcome) ((outcome)->ids + UUID_TEXT_SIZE)

TEST(ticket_reader__identity_is_of_a_tickets_own_rows)
{
    static struct outcome mended;
    char expected[UUID_TEXT_SIZE];
    struct hash hash = hash_of(STR("2,2020-01-01 00:00:01,a,1,1\n2,2020-01-01 00:00:01,b,1,1\n"));
    struct uuid id = uuid_make_v8(&hash, 0);
    uuid_format(&id, expected);
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,a,1,1\n2,2020-01-01 00:00:01,a,1,1\n"
                           "3,2020-01-01 00:00:01,a,x,1\n2,2020-01-01 00:00:01,b,1,1",
                    fixture_map(""), &o);
    assert_memory_equal(SECOND(&o), expected, UUID_TEXT_SIZE - 1);
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,a,1,2\n2,2020-01-01 00:00:01,a,1,1\r\n"
                           "3,2020-01-01 00:00:01,a,1,1\n2,2020-01-01 00:00:01,b,1,1\r\n",
                    fixture_map(""), &mended);
    assert_memory_not_equal(o.ids, mended.ids, UUID_TEXT_SIZE - 1);
    assert_memory_equal(SECOND(&o), SECOND(&mended), UUID_TEXT_SIZE - 1);
}

TEST(ticket_reader__identity_is_without_a_row_that_is_rejected)
{
    static struct outcome without;
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,a,x,1\n1,2020-01-01 00:00:01,b,1,1\n",
                    fixture_map(""), &o);
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,b,1,1\n", fixture_map(""), &without);
    assert_memory_equal(o.ids, without.ids, UUID_TEXT_SIZE - 1);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - rejected=1 [2 b 1 x 1]\n");
}

TEST(ticket_reader__tickets_of_two_locations_may_share_a_number)
{
    fixture_tickets("shop," HEADER "hamra,7,2020-01-01 00:00:01,a,1,1\n"
                    "tyre,7,2020-01-01 00:00:02,b,1,1\n"
                    "hamra,7,2020-01-01 00:00:03,c,1,1\n"
                    ",7,2020-01-01 00:00:04,d,1,1\n",
                    fixture_map("location = shop\n[rules]\nlocation = saida\n"), &o);
    assert_string_equal(o.tickets, "7 sale 1577836801000 - location=hamra [1 a 1 x 1] [3 c 1 x 1]\n"
                                   "7 sale 1577836802000 - location=tyre [2 b 1 x 1]\n"
                                   "7 sale 1577836804000 - location=saida [4 d 1 x 1]\n");
}

TEST(ticket_reader__joins_several_ticket_columns)
{
    fixture_tickets("day,n,time,sku,quantity,price\n"
                    "1 May,7,2020-01-01 00:00:01,a,1,1\n"
                    "2 May,7,2020-01-01 00:00:02,b,1,1\n"
                    "1 May,C8,2020-01-01 00:00:03,c,1,1\n"
                    ",9,2020-01-01 00:00:03,c,1,1\n",
                    "[columns]\nticket = day, n\ntime = time\nsku = sku\nquantity = quantity\n"
                    "unit_price = price\n[rules]\ncancel_prefix = C\n",
                    &o);
    assert_string_equal(o.tickets, "1 May/7 sale 1577836801000 - [1 a 1 x 1]\n"
                                   "2 May/7 sale 1577836802000 - [2 b 1 x 1]\n"
                                   "1 May/C8 cancellation 1577836803000 - [3 c 1 x 1]\n");
    assert_string_equal(o.rejects, "line 5 row 4: ticket is incomplete: "
                                   ",9,2020-01-01 00:00:03,c,1,1\n");
}

// ---- format options --------------------------------------------------------------------------

TEST(ticket_reader__reads_all_columns)
{
    fixture_tickets("ticket,time,sku,name,quantity,price,shop,till,pay,cur,who\n"
                    "1,2020-01-01 00:00:01,a,Tea,1,1,hamra,,,LBP,\n"
                    "1,2020-01-01 00:00:01,b,,2,1,hamra,T1,cash,LBP,K7\n"
                    "1,2020-01-01 00:00:01,b,,2,1,hamra,T2,card,LBP,K8\n",
                    fixture_map("name = name\nlocation = shop\ntill = till\npayment = pay\n"
                                "currency = cur\ncustomer = who\n"),
                    &o);
    assert_string_equal(o.tickets,
                        "1 sale 1577836801000 LBP location=hamra till=T1 payment=cash customer=K7 "
                        "[1 a Tea 1 x 1] [2 b 2 x 1] [3 b 2 x 1]\n");
}

TEST(ticket_reader__reads_files_without_a_header_by_number)
{
    static const char *const map = "[columns]\nticket = 5\ntime = 2,1\nsku = 3\nquantity = 4\n"
                                   "[format]\nheader = no\n[rules]\ndefault_unit_price = 2.5\n";
    fixture_tickets("00:00:01,2020-01-01,a,1,t1\n00:00:01,2020-01-01,b,2,t1\n", map, &o);
    assert_string_equal(o.tickets, "t1 sale 1577836801000 - [1 a 1 x 2.5] [2 b 2 x 2.5]\n");
    assert_string_equal(o.header, "");
}

TEST(ticket_reader__joins_two_time_columns)
{
    fixture_tickets("ticket,date,clock,sku,quantity,price\n1,01/02/2020,13:05,a,1,1\n",
                    "[columns]\nticket = ticket\ntime = date, clock\nsku = sku\n"
                    "quantity = quantity\nunit_price = price\n[format]\ntime = %d/%m/%Y %H:%M\n",
                    &o);
    assert_string_equal(o.tickets, "1 sale 1580562300000 - [1 a 1 x 1]\n");
}

TEST(ticket_reader__a_header_may_hold_a_comma)
{
    fixture_tickets("ticket,\"time, local\",sku,quantity,price\n1,2020-01-01 00:00:01,a,1,1\n",
                    "[columns]\nticket = ticket\ntime = time, local\nsku = sku\n"
                    "quantity = quantity\nunit_price = price\n",
                    &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - [1 a 1 x 1]\n");
}

TEST(ticket_reader__follows_daylight_saving_of_the_time_zone)
{
    fixture_tickets(HEADER "1,2025-10-03 00:00:00,a,1,1\n2,2025-12-03 00:00:00,a,1,1\n",
                    fixture_map("[format]\ntimezone = Asia/Beirut\n"), &o);
    assert_string_equal(o.tickets, "1 sale 1759438800000 - [1 a 1 x 1]\n"
                                   "2 sale 1764712800000 - [2 a 1 x 1]\n");
}

TEST(ticket_reader__takes_delimiters_and_decimal_commas)
{
    fixture_tickets("ticket;time;sku;quantity;price\n1;2020-01-01 00:00:01;a;1,5;-2,55\n"
                    "1;2020-01-01 00:00:01;b;1.5;2\n",
                    fixture_map("[format]\ndelimiter = semicolon\ndecimal = ,\n"), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - rejected=1 [1 a 1.5 x -2.55]\n");
    assert_int_equal(o.counts.rejected_rows, 1);
    fixture_tickets("ticket,time,sku,quantity,price\n1,2020-01-01 00:00:01,a,\"1,5\",\"2,55\"\n",
                    fixture_map("[format]\ndelimiter = comma\ndecimal = ,\n"), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - [1 a 1.5 x 2.55]\n");
    fixture_tickets("ticket\ttime\tsku\tquantity\tprice\n1\t2020-01-01 00:00:01\ta\t1\t2\n",
                    fixture_map("[format]\ndelimiter = tab\n"), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - [1 a 1 x 2]\n");
}

TEST(ticket_reader__decodes_windows_1252)
{
    fixture_tickets("ticket,time,sku,quantity,price,prix \xe0 payer\n"
                    "1,2020-01-01 00:00:01,caf\xe9,1,1,cr\xe8me br\xfbl\xe9"
                    "e \x80\n",
                    fixture_map("name = prix à payer\n[format]\nencoding = WINDOWS-1252\n"), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - [1 café crème brûlée € 1 x 1]\n");
}

TEST(ticket_reader__decodes_windows_1256)
{
    fixture_tickets("ticket,time,sku,quantity,price,name\n"
                    "1,2020-01-01 00:00:01,a,1,1,\xcd\xe3\xd5\n"
                    "1,2020-01-01 00:00:01,b,1,1,\"\xda\xd1\xde,\xc8\xe1\xcf\xed\"\n",
                    fixture_map("name = name\n[format]\nencoding = windows-1256\n"), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - [1 a حمص 1 x 1] [2 b عرق,بلدي 1 x 1]\n");
}

TEST(ticket_reader__accepts_a_byte_order_mark)
{
    fixture_tickets("\xef\xbb\xbf" HEADER "1,2020-01-01 00:00:01,a,1,1\n", fixture_map(""), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - [1 a 1 x 1]\n");
}

TEST(ticket_reader__keeps_quoted_line_endings_and_counts_lines_behind_them)
{
    fixture_tickets("ticket,time,sku,quantity,price,name\n"
                    "1,2020-01-01 00:00:01,a,1,1,\"two\nlines\"\n"
                    "1,2020-01-01 00:00:01,b,x,1,n\n",
                    fixture_map("name = name\n"), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 - rejected=1 [1 a two\nlines 1 x 1]\n");
    assert_string_equal(o.rejects, "line 4 row 2: quantity 'x' is not a decimal of at most 4 "
                                   "places: 1,2020-01-01 00:00:01,b,x,1,n\n");
}

TEST(ticket_reader__refuses_unknown_encodings_and_zones_naming_the_map)
{
    const char *path = fixture_plain(STR(HEADER));
    fixture_read(path, fixture_map("[format]\nencoding = klingon\n"), &o);
    assert_int_equal(o.code, ERR_INVALID);
    assert_told("klingon");
    assert_told("map.ini");
    fixture_read(path, fixture_map("[format]\nencoding = UTF-16LE\n"), &o);
    assert_int_equal(o.code, ERR_UNSUPPORTED);
    fixture_read(path, fixture_map("[format]\nencoding = ISO-2022-JP\n"), &o);
    assert_int_equal(o.code, ERR_UNSUPPORTED);
    fixture_read(path, fixture_map("[format]\ntimezone = Mars/Base\n"), &o);
    assert_int_equal(o.code, ERR_INVALID);
    assert_told("Mars/Base");
}

// ---- rules -----------------------------------------------------------------------------------

TEST(ticket_reader__a_prefix_marks_cancellations)
{
    fixture_tickets(HEADER "C1,2020-01-01 00:00:01,a,-1,1\n1C,2020-01-01 00:00:01,a,-1,1\n",
                    fixture_map("[rules]\ncancel_prefix = C\n"), &o);
    assert_string_equal(o.tickets, "C1 cancellation 1577836801000 - [1 a -1 x 1]\n"
                                   "1C sale 1577836801000 - [2 a -1 x 1]\n");
    assert_int_equal(o.counts.cancellations, 1);
}

TEST(ticket_reader__the_sign_rule_marks_returns_where_all_quantities_are_negative)
{
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,a,-1,1\n1,2020-01-01 00:00:01,b,-2,1\n"
                           "2,2020-01-01 00:00:01,a,-1,1\n2,2020-01-01 00:00:01,b,1,1\n"
                           "3,2020-01-01 00:00:01,a,0,1\n",
                    fixture_map("[rules]\nsign = negative\n"), &o);
    assert_string_equal(o.tickets, "1 return 1577836801000 - [1 a -1 x 1] [2 b -2 x 1]\n"
                                   "2 sale 1577836801000 - [3 a -1 x 1] [4 b 1 x 1]\n"
                                   "3 sale 1577836801000 - [5 a 0 x 1]\n");
    assert_int_equal(o.counts.returns, 1);
}

TEST(ticket_reader__defaults_fill_empty_fields)
{
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,a,,\n",
                    fixture_map("[rules]\ndefault_quantity = 1\ndefault_unit_price = 2.5\n"
                                "currency = LBP\nlocation = hamra\n"),
                    &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 LBP location=hamra [1 a 1 x 2.5]\n");
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,a,,1\n", fixture_map(""), &o);
    assert_string_equal(o.tickets, "");
    assert_int_equal(o.counts.rejected_rows, 1);
}

// ---- bad input -------------------------------------------------------------------------------

TEST(ticket_reader__keeps_bad_rows_aside_verbatim_with_line_and_reason)
{
    static const struct {
        const char *row;
        const char *reason;
    } cases[] = {
        {"1,2020-01-01 00:00:01,a,one,1\n", "quantity 'one' is not a decimal of at most 4 places"},
        {"1,2020-01-01 00:00:01,a,1,1.00001\n",
         "unit_price '1.00001' is not a decimal of at most 4 places"},
        {"1,2020-01-01 00:00:01,a,,1\n", "quantity '' is not a decimal of at most 4 places"},
        {"1,2020-13-01 00:00:01,a,1,1\n",
         "time '2020-13-01 00:00:01' does not match '%Y-%m-%d %H:%M:%S'"},
        {"1,,a,1,1\n", "time '' does not match '%Y-%m-%d %H:%M:%S'"},
        {"1,2020-01-01 00:00:01,a,1\n", "4 fields instead of 5"},
        {"1,2020-01-01 00:00:01,a,1,1,1\r\n", "6 fields instead of 5"},
        {",2020-01-01 00:00:01,a,1,1\n", "ticket is empty"},
        {"1,2020-01-01 00:00:01, ,1,1\n", "sku is empty"},
        {"1,2020-01-01 00:00:01,\xff,1,1\n", "sku is not valid UTF-8"},
        {"1\xc3,2020-01-01 00:00:01,a,1,1\n", "ticket is not valid UTF-8"},
        {"1,2020-01-01 00:00:01,\"a\nb\",1,1\n",
         "sku is longer than 64 bytes or holds a control character"},
        {"1,2020-01-01 00:00:01,a,100000000000,100000000000\n",
         "quantity x unit_price is too large"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char content[1024];
        char expected[1024];
        (void)snprintf(content, sizeof(content),
                       HEADER "0,2020-01-01 00:00:01,a,1,1\n%s9,2020-01-01 00:00:01,a,1,1\n",
                       cases[i].row);
        (void)snprintf(expected, sizeof(expected), "line 3 row 2: %s: %s", cases[i].reason,
                       cases[i].row);
        fixture_tickets(content, fixture_map(""), &o);
        assert_string_equal(o.rejects, expected);
        assert_string_equal(o.tickets, "0 sale 1577836801000 - [1 a 1 x 1]\n"
                                       "9 sale 1577836801000 - [3 a 1 x 1]\n");
        assert_int_equal(o.counts.rejected_rows, 1);
        assert_int_equal(o.counts.rows, 3);
    }
}

TEST(ticket_reader__rejects_bytes_that_the_encoding_does_not_have)
{
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,\x81,1,1\n",
                    fixture_map("[format]\nencoding = WINDOWS-1252\n"), &o);
    assert_string_equal(o.rejects, "line 2 row 1: sku is not valid WINDOWS-1252: "
                                   "1,2020-01-01 00:00:01,\x81,1,1\n");
}

TEST(ticket_reader__rejects_a_row_in_another_currency_than_its_ticket)
{
    fixture_tickets("cur," HEADER "USD,1,2020-01-01 00:00:01,a,1,1\n"
                    "LBP,1,2020-01-01 00:00:01,b,1,1\n"
                    "usd,2,2020-01-01 00:00:01,c,1,1\n",
                    fixture_map("currency = cur\n"), &o);
    assert_string_equal(o.tickets, "1 sale 1577836801000 USD rejected=1 [1 a 1 x 1]\n");
    assert_string_equal(o.rejects, "line 3 row 2: currency LBP differs from the ticket's first "
                                   "line, USD: LBP,1,2020-01-01 00:00:01,b,1,1\n"
                                   "line 4 row 3: currency 'usd' is not three capital letters: "
                                   "usd,2,2020-01-01 00:00:01,c,1,1\n");
}

TEST(ticket_reader__a_stray_quote_costs_its_own_line_only)
{
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,\"a,1,1\n"
                           "2,2020-01-01 00:00:01,b,1,1\n"
                           "3,2020-01-01 00:00:01,\"c\",1,1\n",
                    fixture_map(""), &o);
    assert_string_equal(o.tickets, "2 sale 1577836801000 - [2 b 1 x 1]\n"
                                   "3 sale 1577836801000 - [3 c 1 x 1]\n");
    assert_string_equal(o.rejects, "line 2 row 1: a quote is opened and never closed: "
                                   "1,2020-01-01 00:00:01,\"a,1,1\n");
    fixture_tickets(HEADER "1,2020-01-01 00:00:01,\"a,1,1\n2,2020-01-01 00:00:01,b,1,1\n",
                    fixture_map(""), &o);
    assert_string_equal(o.tickets, "2 sale 1577836801000 - [2 b 1 x 1]\n");
    assert_string_equal(o.rejects, "line 2 row 1: a quote is opened and never closed: "
                                   "1,2020-01-01 00:00:01,\"a,1,1\n");
}

TEST(ticket_reader__a_record_over_lines_with_wrong_fields_loses_its_first_line_only)
{
    fixture_tickets("ticket,time,sku,quantity,price,name\n"
                    "1,2020-01-01 00:00:01,a,1,1,\"oops\n"
                    "2,2020-01-01 00:00:01,24\",1,1,pipe\n",
                    fixture_map("name = name\n"), &o);
    assert_string_equal(o.tickets, "2 sale 1577836801000 - [2 24\" pipe 1 x 1]\n");
    assert_string_equal(o.rejects, "line 2 row 1: 9 fields instead of 6: "
                                   "1,2020-01-01 00:00:01,a,1,1,\"oops\n");
}

TEST(ticket_reader__names_a_column_that_is_not_there_and_the_file)
{
    const char *path = fixture_plain(STR("ticket,time,sku,quantity,cost\n"));
    fixture_read(path, fixture_map(""), &o);
    assert_int_equal(o.code, ERR_INVALID);
    assert_told("'price'");
    assert_told("unit_price");
    assert_told(path);
    fixture_read(fixture_plain(STR("a,b\n")),
                 "[columns]\nticket = 1\ntime = 2\nsku = 3\nquantity = 1\nunit_price = 1\n"
                 "[format]\nheader = no\n",
                 &o);
    assert_int_equal(o.code, ERR_INVALID);
    assert_told("'3'");
    fixture_read(path,
                 "[columns]\nticket = x\ntime = 2\nsku = 3\nquantity = 1\nunit_price = 1\n"
                 "[format]\nheader = no\n",
                 &o);
    assert_int_equal(o.code, ERR_INVALID);
    assert_told("columns.ticket");
    fixture_read(fixture_plain(STR("ticket,time,sku,quantity,price,sku\n")), fixture_map(""), &o);
    assert_int_equal(o.code, ERR_INVALID);
    assert_told("'sku' is there twice");
}

TEST(ticket_reader__refuses_files_that_are_empty_or_absent)
{
    fixture_read(fixture_plain(STR("\n\n")), fixture_map(""), &o);
    assert_int_equal(o.code, ERR_PARSE);
    assert_told("empty");
    fixture_read("/nonexistent/x.csv", fixture_map(""), &o);
    assert_int_equal(o.code, ERR_NOT_FOUND);
}

// A ticket of so many lines.
static char *big_ticket(int lines)
{
    char *content = malloc((size_t)lines * 40 + 200);
    assert_non_null(content);
    size_t n = (size_t)sprintf(content, HEADER "0,2020-01-01 00:00:01,a,1,1\n");
    for (int i = 0; i < lines; i++) {
        n += (size_t)sprintf(content + n, "1,2020-01-01 00:00:01,a,1,1\n");
    }
    return content;
}

struct tally {
    size_t lines;
    size_t rejects;
    char reason[ERR_TEXT_MAX];
};

static void tally_reject(void *context, const struct ticket_reject *reject)
{
    struct tally *t = context;
    t->rejects++;
    (void)snprintf(t->reason, sizeof(t->reason), "%s", reject->reason);
}

static void tally_file(const char *path, struct tally *ret)
{
    struct import_map map;
    struct ticket_reader *r = NULL;
    struct err e = {0};
    *ret = (struct tally){0};
    struct ticket_reader_watch watch = {.on_reject = tally_reject, .context = ret};
    assert_int_equal(import_map_parse("m", str_of(fixture_map("")), &map, &e), ERR_OK);
    assert_int_equal(ticket_reader_open(path, &map, &watch, &r, &e), ERR_OK);
    for (;;) {
        const struct ticket *t = NULL;
        assert_int_equal(ticket_reader_next(r, &t, &e), ERR_OK);
        if (t == NULL) {
            break;
        }
        ret->lines += t->line_count;
    }
    ticket_reader_close(r);
}

TEST(ticket_reader__rejects_a_ticket_of_more_than_2000_lines_as_a_whole)
{
    struct tally t;
    char *content = big_ticket(TICKET_LINES_MAX);
    tally_file(fixture_plain(str_of(content)), &t);
    free(content);
    assert_int_equal(t.lines, TICKET_LINES_MAX + 1);
    assert_int_equal(t.rejects, 0);
    content = big_ticket(TICKET_LINES_MAX + 1);
    tally_file(fixture_plain(str_of(content)), &t);
    free(content);
    assert_int_equal(t.lines, 1);
    assert_int_equal(t.rejects, TICKET_LINES_MAX + 1);
    assert_string_equal(t.reason, "ticket 1 has 2001 lines, more than 2000");
}

static void open_for_change(const char *content, struct ticket_reader **ret, const char **ret_path)
{
    struct import_map map;
    struct err e = {0};
    *ret_path = fixture_plain(str_of(content));
    assert_int_equal(import_map_parse("m", str_of(fixture_map("")), &map, &e), ERR_OK);
    assert_int_equal(ticket_reader_open(*ret_path, &map, NULL, ret, &e), ERR_OK);
}

TEST(ticket_reader__notices_a_file_that_changes_between_the_passes)
{
    static const char *const changes[] = {
        HEADER "1,2020-01-01 00:00:01,a,9,1\n", // another value
        HEADER "2,2020-01-01 00:00:01,a,1,1\n", // another ticket
        HEADER "1,2020-01-01 00:00:01,a,1,1\n1,2020-01-01 00:00:01,a,1,1\n",
        HEADER,
    };
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct ticket_reader *r = NULL;
        const char *path = NULL;
        struct err e = {0};
        // The second pass begins at open; what it has read ahead must not hide the change, so the
        // file is longer than what is read at once.
        static char content[600000];
        size_t n = (size_t)sprintf(content, HEADER "1,2020-01-01 00:00:01,a,1,1\n");
        memset(content + n, '\n', sizeof(content) - n - 1);
        open_for_change(content, &r, &path);
        int fd = open(path, O_WRONLY | O_APPEND);
        assert_true(fd >= 0);
        const char *more = changes[i] + strlen(HEADER);
        assert_int_equal(write(fd, more, strlen(more)), (ssize_t)strlen(more));
        assert_int_equal(close(fd), 0);
        if (more[0] == '\0') {
            assert_int_equal(truncate(path, 300000), 0);
        }
        const struct ticket *t = NULL;
        enum err_code code = ERR_OK;
        do {
            code = ticket_reader_next(r, &t, &e);
        } while (code == ERR_OK && t != NULL);
        assert_int_equal(code, ERR_DAMAGED);
        assert_non_null(strstr(e.text, "changed"));
        ticket_reader_close(r);
    }
}

// ---- progress, failing memory, real data -----------------------------------------------------

static void on_progress(void *context, int64_t done, int64_t total)
{
    int64_t *seen = context;
    assert_true(done >= seen[0]);
    assert_true(done <= total);
    seen[0] = done;
    seen[1] = total;
}

TEST(ticket_reader__tells_progress_over_both_passes)
{
    struct import_map map;
    struct ticket_reader *r = NULL;
    struct err e = {0};
    int64_t seen[2] = {0};
    struct ticket_reader_watch watch = {.on_progress = on_progress, .context = seen};
    struct str content = STR(HEADER "1,2020-01-01 00:00:01,a,1,1\n");
    assert_int_equal(import_map_parse("m", str_of(fixture_map("")), &map, &e), ERR_OK);
    assert_int_equal(ticket_reader_open(fixture_plain(content), &map, &watch, &r, &e), ERR_OK);
    assert_int_equal(seen[0], content.n);
    assert_int_equal(seen[1], 2 * content.n);
    assert_int_equal(ticket_reader_ticket_total(r), 1);
    const struct ticket *t = NULL;
    do {
        assert_int_equal(ticket_reader_next(r, &t, &e), ERR_OK);
    } while (t != NULL);
    assert_int_equal(seen[0], 2 * content.n);
    ticket_reader_close(r);
}

TEST(ticket_reader__survives_every_failed_allocation)
{
    const char *path = fixture_plain(STR(HEADER "1,2020-01-01 00:00:01,\xe9,1,1\n"
                                                "2,2020-01-01 00:00:01,b,1,1\n"
                                                "1,2020-01-01 00:00:01,c,1,1\n"));
    struct import_map map;
    struct err e = {0};
    assert_int_equal(import_map_parse("m",
                                      str_of(fixture_map("[format]\nencoding = WINDOWS-1252\n"
                                                         "timezone = Asia/Beirut\n")),
                                      &map, &e),
                     ERR_OK);
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct ticket_reader *r = NULL;
        const struct ticket *t = NULL;
        size_t tickets = 0;
        unit_alloc_fail(n);
        enum err_code code = ticket_reader_open(path, &map, NULL, &r, &e);
        while (code == ERR_OK) {
            code = ticket_reader_next(r, &t, &e);
            if (code != ERR_OK || t == NULL) {
                break;
            }
            tickets++;
        }
        failed = unit_alloc_end();
        ticket_reader_close(r);
        assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
        assert_true(failed || tickets == 2);
    }
}

struct sums {
    uint64_t tickets;
    uint64_t lines;
    uint64_t cancellations;
    int64_t value;
    int64_t quantity;
};

static void sum_file(const char *path, struct sums *ret)
{
    struct import_map map;
    struct ticket_reader *r = NULL;
    struct err e = {0};
    *ret = (struct sums){0};
    assert_int_equal(
        import_map_parse("m",
                         STR("[columns]\nticket = InvoiceNo\ntime = InvoiceDate\nsku = StockCode\n"
                             "name = Description\nquantity = Quantity\nunit_price = UnitPrice\n"
                             "customer = CustomerID\n[format]\ntimezone = Europe/London\n"
                             "[rules]\ncancel_prefix = C\ncurrency = GBP\n"),
                         &map, &e),
        ERR_OK);
    assert_int_equal(ticket_reader_open(path, &map, NULL, &r, &e), ERR_OK);
    for (;;) {
        const struct ticket *t = NULL;
        assert_int_equal(ticket_reader_next(r, &t, &e), ERR_OK);
        if (t == NULL) {
            break;
        }
        int64_t total = 0;
        assert_int_equal(ticket_event_total(t, &total), ERR_OK);
        ret->tickets++;
        ret->lines += t->line_count;
        ret->cancellations += t->kind == TICKET_CANCELLATION;
        ret->value += total;
        for (size_t i = 0; i < t->line_count; i++) {
            ret->quantity += t->lines[i].quantity;
        }
    }
    assert_int_equal(ticket_reader_counts(r).rejected_rows, 0);
    ticket_reader_close(r);
}

TEST(ticket_reader__reads_a_real_month_of_a_retailer_to_the_penny)
{
    char path[FIXTURE_PATH_MAX];
    struct sums sums;
    if (!fixture_shared("data/online-retail/2010-12.csv.gz", path)) {
        skip();
    }
    sum_file(path, &sums);
    assert_int_equal(sums.tickets, 2025);
    assert_int_equal(sums.lines, 42481);
    assert_int_equal(sums.cancellations, 326);
    assert_int_equal(sums.value, 74895702);
    assert_int_equal(sums.quantity, 342228 * DECIMAL_ONE);
}
