#include "image_codecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

void psi_free(uint8_t *bytes) { free(bytes); }

static int fail(char *message, size_t capacity, const char *reason) {
  snprintf(message, capacity, "%s", reason);
  return -1;
}

/* ---- PNG ------------------------------------------------------------------------------------------------------------ */

typedef struct {
  const uint8_t *bytes;
  size_t count, offset;
  uint8_t *out;
  size_t used, room;
  char *message;
  size_t capacity;
} png_memory;

static void png_failed(png_structp png, png_const_charp reason) {
  png_memory *memory = (png_memory *)png_get_error_ptr(png);
  fail(memory->message, memory->capacity, reason);
  longjmp(png_jmpbuf(png), 1);
}
/* Warnings concern ancillary chunks, which are not used. */
static void png_warned(png_structp png, png_const_charp reason) { (void)png, (void)reason; }

static void png_take(png_structp png, png_bytep to, size_t count) {
  png_memory *memory = (png_memory *)png_get_io_ptr(png);
  if (count > memory->count - memory->offset) png_error(png, "the file ends too early");
  memcpy(to, memory->bytes + memory->offset, count);
  memory->offset += count;
}

static void png_give(png_structp png, png_bytep from, size_t count) {
  png_memory *memory = (png_memory *)png_get_io_ptr(png);
  if (count > memory->room - memory->used) {
    size_t room = memory->room * 2 + count;
    uint8_t *grown = (uint8_t *)realloc(memory->out, room);
    if (!grown) png_error(png, "no memory");
    memory->out = grown;
    memory->room = room;
  }
  memcpy(memory->out + memory->used, from, count);
  memory->used += count;
}
static void png_no_flush(png_structp png) { (void)png; }

/* Reads the header and, where `pixels` is given, all rows. */
static int png_run(png_memory *memory, psi_image *image, uint8_t *pixels, size_t size) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, memory, png_failed, png_warned);
  if (!png) return fail(memory->message, memory->capacity, "no memory");
  png_infop info = png_create_info_struct(png);
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return -1;
  }
  png_set_read_fn(png, memory, png_take);
  png_set_user_limits(png, 1u << 20, 1u << 20);
  png_read_info(png, info);
  int type = png_get_color_type(png, info);
  image->columns = png_get_image_width(png, info);
  image->rows = png_get_image_height(png, info);
  image->depth = type == PNG_COLOR_TYPE_PALETTE ? 8 : png_get_bit_depth(png, info);
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  else if (image->depth < 8) png_set_packing(png); /* one count per byte, not scaled */
  if (type == PNG_COLOR_TYPE_PALETTE && png_get_valid(png, info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(png);
  if (image->depth == 16) png_set_swap(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  image->channels = png_get_channels(png, info);
  if (pixels) {
    size_t row_size = png_get_rowbytes(png, info);
    if (image->rows == 0 || row_size > size / image->rows) png_error(png, "more pixels than announced");
    for (int pass = 0; pass < passes; ++pass)
      for (size_t row = 0; row < image->rows; ++row) png_read_row(png, pixels + row * row_size, NULL);
    png_read_end(png, NULL);
  }
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}

int psi_png_header(const uint8_t *bytes, size_t count, psi_image *image, char *message, size_t capacity) {
  png_memory memory = {bytes, count, 0, NULL, 0, 0, message, capacity};
  return png_run(&memory, image, NULL, 0);
}

int psi_png_decode(const uint8_t *bytes, size_t count, uint8_t *pixels, size_t size, char *message, size_t capacity) {
  png_memory memory = {bytes, count, 0, NULL, 0, 0, message, capacity};
  psi_image image;
  return png_run(&memory, &image, pixels, size);
}

static int png_encode(png_memory *memory, const uint8_t *pixels, psi_image image) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, memory, png_failed, png_warned);
  if (!png) return fail(memory->message, memory->capacity, "no memory");
  png_infop info = png_create_info_struct(png);
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    return -1;
  }
  png_set_write_fn(png, memory, png_give, png_no_flush);
  png_set_compression_level(png, 6);
  png_set_IHDR(png, info, image.columns, image.rows, image.depth, image.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  if (image.depth == 16) png_set_swap(png);
  size_t row_size = (size_t)image.columns * (size_t)image.channels * (size_t)(image.depth / 8);
  for (size_t row = 0; row < image.rows; ++row) png_write_row(png, pixels + row * row_size);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  return 0;
}

int psi_png_encode(const uint8_t *pixels, psi_image image, uint8_t **bytes, size_t *count, char *message, size_t capacity) {
  png_memory memory = {NULL, 0, 0, NULL, 0, 0, message, capacity};
  if (png_encode(&memory, pixels, image) != 0) {
    free(memory.out);
    return -1;
  }
  *bytes = memory.out;
  *count = memory.used;
  return 0;
}

/* ---- JPEG ----------------------------------------------------------------------------------------------------------- */

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf jump;
  char *message;
  size_t capacity;
} jpeg_failure;

static void jpeg_failed(j_common_ptr codec) {
  jpeg_failure *failure = (jpeg_failure *)codec->err;
  char text[JMSG_LENGTH_MAX];
  failure->base.format_message(codec, text);
  fail(failure->message, failure->capacity, text);
  longjmp(failure->jump, 1);
}
/* libjpeg warns and makes up grey where data are corrupt or end early: that is an error here. */
static void jpeg_warned(j_common_ptr codec, int level) {
  if (level < 0) jpeg_failed(codec);
}

static struct jpeg_error_mgr *jpeg_errors(jpeg_failure *failure, char *message, size_t capacity) {
  jpeg_std_error(&failure->base);
  failure->base.error_exit = jpeg_failed;
  failure->base.emit_message = jpeg_warned;
  failure->message = message;
  failure->capacity = capacity;
  return &failure->base;
}

/* Reads the header and, where `pixels` is given, all rows. */
static int jpeg_run(const uint8_t *bytes, size_t count, psi_image *image, uint8_t *pixels, size_t size, char *message,
                    size_t capacity) {
  struct jpeg_decompress_struct codec;
  jpeg_failure failure;
  memset(&codec, 0, sizeof codec);
  codec.err = jpeg_errors(&failure, message, capacity);
  if (setjmp(failure.jump)) {
    jpeg_destroy_decompress(&codec);
    return -1;
  }
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, bytes, count);
  jpeg_read_header(&codec, TRUE);
  codec.out_color_space = codec.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  image->columns = codec.image_width;
  image->rows = codec.image_height;
  image->depth = codec.data_precision;
  image->channels = codec.out_color_space == JCS_GRAYSCALE ? 1 : 3;
  if (pixels) {
    codec.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&codec);
    size_t row_size = (size_t)codec.output_width * (size_t)codec.output_components;
    if (codec.output_height == 0 || row_size > size / codec.output_height) {
      jpeg_destroy_decompress(&codec);
      return fail(message, capacity, "more pixels than announced");
    }
    while (codec.output_scanline < codec.output_height) {
      JSAMPROW row = pixels + (size_t)codec.output_scanline * row_size;
      jpeg_read_scanlines(&codec, &row, 1);
    }
    jpeg_finish_decompress(&codec);
  }
  jpeg_destroy_decompress(&codec);
  return 0;
}

int psi_jpeg_header(const uint8_t *bytes, size_t count, psi_image *image, char *message, size_t capacity) {
  return jpeg_run(bytes, count, image, NULL, 0, message, capacity);
}

int psi_jpeg_decode(const uint8_t *bytes, size_t count, uint8_t *pixels, size_t size, char *message, size_t capacity) {
  psi_image image;
  return jpeg_run(bytes, count, &image, pixels, size, message, capacity);
}

typedef struct {
  unsigned char *bytes;
  unsigned long count;
} jpeg_output;

static int jpeg_encode(const uint8_t *pixels, psi_image image, int quality, jpeg_output *output, char *message,
                       size_t capacity) {
  struct jpeg_compress_struct codec;
  jpeg_failure failure;
  memset(&codec, 0, sizeof codec);
  codec.err = jpeg_errors(&failure, message, capacity);
  if (setjmp(failure.jump)) {
    jpeg_destroy_compress(&codec);
    return -1;
  }
  jpeg_create_compress(&codec);
  jpeg_mem_dest(&codec, &output->bytes, &output->count);
  codec.image_width = image.columns;
  codec.image_height = image.rows;
  codec.input_components = image.channels;
  codec.in_color_space = image.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    /* libjpeg only reads the row. */
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)codec.next_scanline * image.columns * (size_t)image.channels);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  return 0;
}

int psi_jpeg_encode(const uint8_t *pixels, psi_image image, int quality, uint8_t **bytes, size_t *count, char *message,
                    size_t capacity) {
  jpeg_output output = {NULL, 0};
  if (jpeg_encode(pixels, image, quality, &output, message, capacity) != 0) {
    free(output.bytes);
    return -1;
  }
  *bytes = output.bytes;
  *count = output.count;
  return 0;
}
