// SPDX-License-Identifier: Apache-2.0
// The smallest till: sells one coffee, and says what it knows.
//
//   wasl init terminal shop --location BR01
//   cc till.c $(pkg-config --cflags --libs wasl) -o till    after meson install -C build; or take
//   ./till shop BR01-T01-000001                             ninja -C build's examples/example_till
//
// It works with no network at all. Once the folder is enrolled and has an upstream, what it sold
// reaches the centre in the background. A program that may have to sell the same ticket again,
// since it does not know whether the first call ended, gives the event an id of its own (wasl.h).
#include <wasl.h>

#include <stdio.h>

static bool print_stock(void *context, const char *sku, int64_t quantity)
{
    (void)context;
    long long size = quantity < 0 ? -quantity : quantity;
    printf("stock %s %s%lld.%04lld\n", sku, quantity < 0 ? "-" : "", size / 10000, size % 10000);
    return true;
}

static int sell(struct wasl *till, const char *number)
{
    char body[512];
    snprintf(body, sizeof(body),
             "{\"ticket\":\"%s\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,"
             "\"lines\":[{\"n\":1,\"sku\":\"COFFEE\",\"name\":\"Coffee\",\"quantity\":\"1\","
             "\"unit_price\":\"2.50\",\"amount\":250}],\"total\":250,"
             "\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":250}]}",
             number);
    struct wasl_event sale = {
        .type = "ticket_recorded", .record_type = "ticket", .record_id = number, .body = body};
    struct wasl_result result;
    struct wasl_error error;
    if (wasl_append(till, &sale, 1, &result, &error) != WASL_OK) {
        fprintf(stderr, "not sold: %s\n", error.text);
        return 1;
    }
    if (result.verdict == WASL_REJECTED) {
        fprintf(stderr, "not sold: %s\n", result.reason);
        return 1;
    }
    printf("sold %s as %s\n", number, result.id);
    return 0;
}

int main(int argc, char **argv)
{
    struct wasl *till;
    struct wasl_error error;
    struct wasl_status status;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: till FOLDER [TICKET]\n");
        return 2;
    }
    if (wasl_open(argv[1], true, &till, &error) != WASL_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    int failed = sell(till, argc == 3 ? argv[2] : "BR01-T01-000001");
    if (!failed && wasl_stock(till, NULL, print_stock, NULL, &error) == WASL_OK &&
        wasl_status(till, &status, &error) == WASL_OK)
        printf("pending %llu\n", (unsigned long long)status.pending);
    wasl_close(till);
    return failed;
}
