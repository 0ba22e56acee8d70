#include "tiff_codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

struct psi_tiff {
  TIFF *file;
  /* The first complaint since the last call. */
  char reason[300];
};

/* An error of libtiff; later ones only follow from the first. */
static int failed(TIFF *file, void *context, const char *module, const char *format, va_list arguments) {
  (void)file;
  psi_tiff *tiff = (psi_tiff *)context;
  if (!tiff->reason[0]) {
    int used = module ? snprintf(tiff->reason, sizeof tiff->reason, "%s: ", module) : 0;
    if (used < 0 || (size_t)used >= sizeof tiff->reason) used = 0;
    vsnprintf(tiff->reason + used, sizeof tiff->reason - (size_t)used, format, arguments);
  }
  return 1;
}
/* Warnings concern fields that are not needed, such as private ones. */
static int warned(TIFF *file, void *context, const char *module, const char *format, va_list arguments) {
  (void)file, (void)context, (void)module, (void)format, (void)arguments;
  return 1;
}

static int fail(psi_tiff *tiff, const char *reason, char *message, size_t capacity) {
  snprintf(message, capacity, "%s", tiff->reason[0] ? tiff->reason : reason);
  tiff->reason[0] = 0;
  return -1;
}

psi_tiff *psi_tiff_open(const char *path, int64_t limit, char *message, size_t capacity) {
  psi_tiff *tiff = (psi_tiff *)calloc(1, sizeof *tiff);
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (!tiff || !options) {
    snprintf(message, capacity, "no memory");
    if (options) TIFFOpenOptionsFree(options);
    free(tiff);
    return NULL;
  }
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)limit);
  TIFFOpenOptionsSetErrorHandlerExtR(options, failed, tiff);
  TIFFOpenOptionsSetWarningHandlerExtR(options, warned, tiff);
  /* m: no memory map, so that a file that shrinks meanwhile ends in an error. */
  tiff->file = TIFFOpenExt(path, "rm", options);
  TIFFOpenOptionsFree(options);
  if (!tiff->file) {
    fail(tiff, "no TIFF", message, capacity);
    free(tiff);
    return NULL;
  }
  return tiff;
}

void psi_tiff_close(psi_tiff *tiff) {
  TIFFClose(tiff->file);
  free(tiff);
}

int psi_tiff_describe(psi_tiff *tiff, psi_tiff_page *page, char *message, size_t capacity) {
  memset(page, 0, sizeof *page);
  tiff->reason[0] = 0;
  if (!TIFFGetField(tiff->file, TIFFTAG_IMAGEWIDTH, &page->columns) || !TIFFGetField(tiff->file, TIFFTAG_IMAGELENGTH, &page->rows))
    return fail(tiff, "a page without width or height", message, capacity);
  TIFFGetFieldDefaulted(tiff->file, TIFFTAG_BITSPERSAMPLE, &page->depth);
  TIFFGetFieldDefaulted(tiff->file, TIFFTAG_SAMPLEFORMAT, &page->format);
  TIFFGetFieldDefaulted(tiff->file, TIFFTAG_SAMPLESPERPIXEL, &page->channels);
  TIFFGetFieldDefaulted(tiff->file, TIFFTAG_COMPRESSION, &page->compression);
  TIFFGetFieldDefaulted(tiff->file, TIFFTAG_SUBFILETYPE, &page->subfile);
  uint16_t planes = PLANARCONFIG_CONTIG;
  TIFFGetFieldDefaulted(tiff->file, TIFFTAG_PLANARCONFIG, &planes);
  page->separate = planes == PLANARCONFIG_SEPARATE;
  page->photometric = PHOTOMETRIC_MINISBLACK;
  TIFFGetField(tiff->file, TIFFTAG_PHOTOMETRIC, &page->photometric);
  page->decodable = TIFFIsCODECConfigured(page->compression);
  tiff->reason[0] = 0;
  return 0;
}

int psi_tiff_next(psi_tiff *tiff, char *message, size_t capacity) {
  tiff->reason[0] = 0;
  if (TIFFLastDirectory(tiff->file)) return 0;
  if (!TIFFReadDirectory(tiff->file)) return fail(tiff, "an unreadable page", message, capacity);
  return 1;
}

static int decode_tiles(psi_tiff *tiff, const psi_tiff_page *page, uint8_t *pixels, int64_t limit, char *message, size_t capacity) {
  uint32_t width = 0, height = 0;
  uint64_t size = TIFFTileSize64(tiff->file);
  size_t pixel = (size_t)page->channels * page->depth / 8, row = page->columns * pixel;
  if (!TIFFGetField(tiff->file, TIFFTAG_TILEWIDTH, &width) || !TIFFGetField(tiff->file, TIFFTAG_TILELENGTH, &height) || !width || !height)
    return fail(tiff, "tiles without extent", message, capacity);
  if (size == 0 || size > (uint64_t)limit || size / width / height != pixel)
    return fail(tiff, "tiles of an impossible size", message, capacity);
  uint8_t *tile = (uint8_t *)malloc(size);
  if (!tile) return fail(tiff, "no memory for a tile", message, capacity);
  for (uint64_t top = 0; top < page->rows; top += height) {
    for (uint64_t left = 0; left < page->columns; left += width) {
      uint32_t number = TIFFComputeTile(tiff->file, (uint32_t)left, (uint32_t)top, 0, 0);
      if (TIFFReadEncodedTile(tiff->file, number, tile, (tmsize_t)size) != (tmsize_t)size) {
        free(tile);
        return fail(tiff, "a tile that ends too early", message, capacity);
      }
      size_t columns = page->columns - left < width ? page->columns - left : width;
      size_t rows = page->rows - top < height ? page->rows - top : height;
      for (size_t r = 0; r < rows; ++r)
        memcpy(pixels + (top + r) * row + left * pixel, tile + r * width * pixel, columns * pixel);
    }
  }
  free(tile);
  return 0;
}

static int decode_strips(psi_tiff *tiff, const psi_tiff_page *page, uint8_t *pixels, char *message, size_t capacity) {
  uint32_t height = 0;
  TIFFGetFieldDefaulted(tiff->file, TIFFTAG_ROWSPERSTRIP, &height);
  if (height == 0) return fail(tiff, "strips without rows", message, capacity);
  size_t row = page->columns * ((size_t)page->channels * page->depth / 8);
  for (uint64_t top = 0, number = 0; top < page->rows; top += height, ++number) {
    size_t size = row * (page->rows - top < height ? page->rows - top : height);
    if (TIFFReadEncodedStrip(tiff->file, (uint32_t)number, pixels + top * row, (tmsize_t)size) != (tmsize_t)size)
      return fail(tiff, "a strip that ends too early", message, capacity);
  }
  return 0;
}

int psi_tiff_decode(psi_tiff *tiff, uint8_t *pixels, size_t size, int64_t limit, char *message, size_t capacity) {
  psi_tiff_page page;
  if (psi_tiff_describe(tiff, &page, message, capacity) != 0) return -1;
  if ((uint64_t)page.columns * page.channels * (page.depth / 8) * page.rows != size || page.depth % 8 != 0)
    return fail(tiff, "another size than announced", message, capacity);
  return TIFFIsTiled(tiff->file) ? decode_tiles(tiff, &page, pixels, limit, message, capacity)
                                 : decode_strips(tiff, &page, pixels, message, capacity);
}

const char *psi_tiff_text(psi_tiff *tiff, uint32_t tag) {
  const char *text = NULL;
  return TIFFGetField(tiff->file, tag, &text) ? text : NULL;
}
