#ifndef PSIMAGENET_IMAGE_CODECS_H
#define PSIMAGENET_IMAGE_CODECS_H
#include <stddef.h>
#include <stdint.h>

/* PNG and JPEG from and to memory, without gamma, colour management or scaling of counts. Every function returns 0, or a
   negative number with a reason in `message`; libpng and libjpeg would longjmp, which must not cross Swift frames. */

typedef struct {
  uint32_t columns;
  uint32_t rows;
  int depth;    /* bits per stored sample: 1, 2, 4, 8 or 16 */
  int channels; /* samples per pixel after palettes are expanded: 1 grey, 2 grey+alpha, 3 RGB, 4 RGB+alpha */
} psi_image;

int psi_png_header(const uint8_t *bytes, size_t count, psi_image *image, char *message, size_t capacity);
/* Pixels row-major, samples interleaved, 8 bits or 16 bits little-endian; `pixels` holds rows*columns*channels samples. */
int psi_png_decode(const uint8_t *bytes, size_t count, uint8_t *pixels, size_t size, char *message, size_t capacity);
/* 8 or 16 bits (little-endian), 1 or 3 channels. The result is freed with psi_free. */
int psi_png_encode(const uint8_t *pixels, psi_image image, uint8_t **bytes, size_t *count, char *message, size_t capacity);

int psi_jpeg_header(const uint8_t *bytes, size_t count, psi_image *image, char *message, size_t capacity);
int psi_jpeg_decode(const uint8_t *bytes, size_t count, uint8_t *pixels, size_t size, char *message, size_t capacity);
int psi_jpeg_encode(const uint8_t *pixels, psi_image image, int quality, uint8_t **bytes, size_t *count, char *message,
                    size_t capacity);

void psi_free(uint8_t *bytes);
#endif
