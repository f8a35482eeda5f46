// SPDX-License-Identifier: Apache-2.0
// Files that the program carries inside it: the pages, and the description of the API.
//
// Why: one binary is the whole program, and a page always fits the API it talks to.
// The table is written at build time by tools/embed; src/node/meson.build names the files.
#ifndef WASL_NODE_EMBEDDED_H
#define WASL_NODE_EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *name; // base name: "console.js"
    const char *type; // media type
    const char *etag; // quoted, changes with the bytes
    const unsigned char *bytes;
    size_t size_bytes;
};
extern const struct embedded embedded_files[];
extern const size_t embedded_count;

#endif
