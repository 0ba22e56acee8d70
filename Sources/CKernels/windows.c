#include <string.h>

#include "kernels.h"
#include "team.h"

enum { block = 16 };

typedef struct {
  const uint8_t *image;
  uint8_t *matrix;
  psi_window_shape s;
} psi_windows_job;

/* Rows of the matrix are places of the result; a row holds the window above it, channels fastest. */
static void windows_share(size_t begin, size_t end, void *context) {
  const psi_windows_job *job = context;
  const psi_window_shape s = job->s;
  size_t piece = block * s.width, blocks = s.channels / block, plane = s.rows * s.columns * piece;
  for (size_t place = begin; place < end; place++) {
    size_t n = place / (s.out_rows * s.out_columns), oy = place / s.out_columns % s.out_rows, ox = place % s.out_columns;
    const uint8_t *picture = job->image + n * blocks * plane;
    uint8_t *row = job->matrix + place * s.kernel_rows * s.kernel_columns * s.channels * s.width;
    for (size_t ky = 0; ky < s.kernel_rows; ky++) {
      for (size_t kx = 0; kx < s.kernel_columns; kx++, row += s.channels * s.width) {
        /* Unsigned: a place left of or above the picture becomes a huge number. */
        size_t y = oy * s.stride + ky - s.padding, x = ox * s.stride + kx - s.padding;
        if (y >= s.rows || x >= s.columns) {
          memset(row, 0, s.channels * s.width);
          continue;
        }
        const uint8_t *from = picture + (y * s.columns + x) * piece;
        if (piece == 32) {
          for (size_t b = 0; b < blocks; b++) memcpy(row + b * 32, from + b * plane, 32);
        } else {
          for (size_t b = 0; b < blocks; b++) memcpy(row + b * 64, from + b * plane, 64);
        }
      }
    }
  }
}

void psi_windows(const void *image, void *matrix, psi_window_shape shape) {
  psi_windows_job job = {image, matrix, shape};
  psi_team(shape.images * shape.out_rows * shape.out_columns, 16, windows_share, &job);
}
