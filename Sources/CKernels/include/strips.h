#ifndef PSIMAGENET_STRIPS_H
#define PSIMAGENET_STRIPS_H
#include <stddef.h>

/* Copies `rows` stretches of `width` bytes; the next stretch begins `from_step` bytes later in `from`, `to_step` in `to`. */
void psi_strips(const void *from, void *to, size_t rows, size_t width, size_t from_step, size_t to_step);
#endif
