#ifndef PSIMAGENET_TIFF_CODEC_H
#define PSIMAGENET_TIFF_CODEC_H
#include <stddef.h>
#include <stdint.h>

/* TIFF and BigTIFF by libtiff, page by page, as stored: no colour conversion, no scaling. libtiff's calls for fields take
   variable arguments, which Swift cannot call. A negative result leaves a reason in `message`. */

typedef struct psi_tiff psi_tiff;

typedef struct {
  uint32_t columns, rows;
  uint16_t depth;       /* bits a sample */
  uint16_t format;      /* 1 unsigned, 2 signed, 3 IEEE real, 4 undefined (taken as unsigned), 5 and 6 complex */
  uint16_t channels;    /* samples a pixel */
  uint16_t photometric; /* 0 white is zero, 1 black is zero, 2 red green blue, 3 palette, ... */
  uint16_t compression;
  uint16_t separate;    /* 1 where channels are stored plane by plane */
  uint32_t subfile;     /* bit 0: a reduced version of another page; bit 2: a mask of another page */
  int decodable;        /* 0 where libtiff was built without this compression */
} psi_tiff_page;

/* `limit`: the greatest piece of memory that libtiff may ask for. NULL where this is no TIFF. */
psi_tiff *psi_tiff_open(const char *path, int64_t limit, char *message, size_t capacity);
void psi_tiff_close(psi_tiff *tiff);
/* The page at hand. */
int psi_tiff_describe(psi_tiff *tiff, psi_tiff_page *page, char *message, size_t capacity);
/* 1 on the next page, 0 where there is none. */
int psi_tiff_next(psi_tiff *tiff, char *message, size_t capacity);
/* Fills `pixels`, row-major with interleaved channels, with exactly `size` bytes of whole samples in this machine's order.
   Tiles of more than `limit` bytes are refused. */
int psi_tiff_decode(psi_tiff *tiff, uint8_t *pixels, size_t size, int64_t limit, char *message, size_t capacity);
/* A text field of the page, or NULL; valid until the next page. */
const char *psi_tiff_text(psi_tiff *tiff, uint32_t tag);
#endif
