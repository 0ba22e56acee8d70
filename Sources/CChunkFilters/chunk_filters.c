#include "chunk_filters.h"

#include <stdlib.h>
#include <string.h>

#include <hdf5.h>
#include <lz4.h>

/* No chunk of HDF5 1.10 is larger. */
#define CHUNK_LIMIT 0xFFFFFFFFu

static uint64_t big_endian(const uint8_t *bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

/* ---- bitshuffle ----------------------------------------------------------------------------------------------------- */

/* Bit i of byte j becomes bit j of byte i: an 8 x 8 transposition (H. S. Warren, Hacker's Delight, 7-3). */
static uint64_t transposed(uint64_t x) {
  uint64_t t = (x ^ (x >> 7)) & 0x00AA00AA00AA00AAull;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000CCCC0000CCCCull;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000F0F0F0F0ull;
  return x ^ t ^ (t << 28);
}

/* `count` elements, a multiple of 8: bit b of all elements stands in row b of count / 8 bytes. */
static void unshuffle_bits(const uint8_t *from, uint8_t *to, size_t count, size_t element) {
  size_t row = count / 8;
  for (size_t byte = 0; byte < element; ++byte) {
    const uint8_t *rows = from + byte * 8 * row;
    for (size_t group = 0; group < row; ++group) {
      uint64_t bits = 0;
      for (size_t bit = 0; bit < 8; ++bit) bits |= (uint64_t)rows[bit * row + group] << (8 * bit);
      bits = transposed(bits);
      for (size_t i = 0; i < 8; ++i) to[(8 * group + i) * element + byte] = (uint8_t)(bits >> (8 * i));
    }
  }
}

/* Blocks of `block` elements, then one of the rest in whole eights, then up to 7 elements as they are. */
static int undo_blocks(const uint8_t *from, size_t size, uint8_t *to, size_t total, size_t element, size_t block, int packed) {
  if (element == 0 || element > 4096 || block == 0 || block % 8 != 0 || block > CHUNK_LIMIT / element || total % element != 0) return -1;
  uint8_t *plain = packed ? (uint8_t *)malloc(block * element < total ? block * element : total + 1) : NULL;
  if (packed && !plain) return -1;
  size_t place = 0, done = 0, count = total / element;
  int failed = 0;
  while (!failed && done < count) {
    size_t here = count - done < block ? (count - done) / 8 * 8 : block;
    size_t bytes = here * element;
    if (here == 0) {
      bytes = (count - done) * element;
      failed = size - place != bytes;
      if (!failed) memcpy(to + done * element, from + place, bytes);
      place = size;
      break;
    }
    if (packed) {
      failed = size - place < 4;
      size_t stored = failed ? 0 : (size_t)big_endian(from + place, 4);
      failed = failed || stored > size - place - 4 || stored > 0x7FFFFFFF
               || LZ4_decompress_safe((const char *)from + place + 4, (char *)plain, (int)stored, (int)bytes) != (int)bytes;
      if (!failed) unshuffle_bits(plain, to + done * element, here, element);
      place += 4 + stored;
    } else {
      failed = size - place < bytes;
      if (!failed) unshuffle_bits(from + place, to + done * element, here, element);
      place += bytes;
    }
    done += here;
  }
  free(plain);
  return failed || place != size ? -1 : 0;
}

int psi_undo_bitshuffle(const uint8_t *from, size_t size, uint8_t *to, size_t total, size_t element, size_t block, int packed) {
  if (element == 0) return -1;
  if (packed) {
    if (size < 12 || big_endian(from, 8) != total) return -1;
    return undo_blocks(from + 12, size - 12, to, total, element, (size_t)big_endian(from + 8, 4) / element, 1);
  }
  if (block == 0) {
    block = 8192 / element / 8 * 8;
    if (block < 128) block = 128;
  }
  return undo_blocks(from, size, to, total, element, block, 0);
}

/* A buffer of HDF5 takes the place of the old one. */
static size_t replace(void **buffer, size_t *room, void *made, size_t size) {
  H5free_memory(*buffer);
  *buffer = made;
  *room = size;
  return size;
}

/* Settings: two versions, bytes an element, elements a block (0: as many as make 8 KiB), compression (0 none, 2 LZ4, 3 Zstandard). */
static size_t bitshuffle(unsigned flags, size_t settings, const unsigned values[], size_t size, size_t *room, void **buffer) {
  if (!(flags & H5Z_FLAG_REVERSE) || settings < 3) return 0;
  size_t element = values[2], block = settings > 3 ? values[3] : 0;
  int compression = settings > 4 ? (int)values[4] : 0;
  const uint8_t *from = (const uint8_t *)*buffer;
  size_t total = size;
  if (element == 0 || (compression != 0 && compression != 2)) return 0;
  if (compression == 2) {
    if (size < 12) return 0;
    uint64_t told = big_endian(from, 8);
    /* LZ4 packs at most 255 bytes into one. */
    if (told == 0 || told > CHUNK_LIMIT || told / 256 > size) return 0;
    total = (size_t)told;
  }
  uint8_t *made = (uint8_t *)H5allocate_memory(total, 0);
  if (!made) return 0;
  if (psi_undo_bitshuffle(from, size, made, total, element, block, compression == 2) != 0) {
    H5free_memory(made);
    return 0;
  }
  return replace(buffer, room, made, total);
}

/* ---- LZF ------------------------------------------------------------------------------------------------------------ */

/* Literals of 1 to 32 bytes, or copies of 3 to 264 from up to 8 KiB before. */
int psi_undo_lzf(const uint8_t *from, size_t size, uint8_t *to, size_t total) {
  size_t place = 0, done = 0;
  while (place < size) {
    size_t control = from[place++];
    if (control < 32) {
      size_t count = control + 1;
      if (count > size - place || count > total - done) return -1;
      memcpy(to + done, from + place, count);
      place += count;
      done += count;
      continue;
    }
    size_t count = control >> 5;
    if (count == 7) {
      if (place >= size) return -1;
      count += from[place++];
    }
    if (place >= size) return -1;
    size_t back = ((control & 31) << 8 | from[place++]) + 1;
    count += 2;
    if (back > done || count > total - done) return -1;
    for (size_t i = 0; i < count; ++i) to[done + i] = to[done - back + i];
    done += count;
  }
  return done == total ? 0 : -1;
}

/* Settings: two versions, bytes of a chunk. */
static size_t lzf(unsigned flags, size_t settings, const unsigned values[], size_t size, size_t *room, void **buffer) {
  if (!(flags & H5Z_FLAG_REVERSE) || settings < 3) return 0;
  size_t total = values[2];
  /* Three bytes make at most 264. */
  if (total == 0 || total / 128 > size) return 0;
  uint8_t *made = (uint8_t *)H5allocate_memory(total, 0);
  if (!made) return 0;
  if (psi_undo_lzf((const uint8_t *)*buffer, size, made, total) != 0) {
    H5free_memory(made);
    return 0;
  }
  return replace(buffer, room, made, total);
}

/* ---- LZ4 ------------------------------------------------------------------------------------------------------------ */

/* Total and block size, then blocks with their stored sizes; a block of its full size is not packed. */
int psi_undo_lz4(const uint8_t *from, size_t size, uint8_t *to, size_t total) {
  if (size < 12 || big_endian(from, 8) != total) return -1;
  size_t block = (size_t)big_endian(from + 8, 4), place = 12, done = 0;
  if (block == 0) return -1;
  while (done < total) {
    size_t here = total - done < block ? total - done : block;
    if (size - place < 4) return -1;
    size_t stored = (size_t)big_endian(from + place, 4);
    place += 4;
    if (stored > size - place || stored > 0x7FFFFFFF || here > 0x7FFFFFFF) return -1;
    if (stored == here) memcpy(to + done, from + place, here);
    else if (LZ4_decompress_safe((const char *)from + place, (char *)to + done, (int)stored, (int)here) != (int)here) return -1;
    place += stored;
    done += here;
  }
  return place == size ? 0 : -1;
}

static size_t lz4(unsigned flags, size_t settings, const unsigned values[], size_t size, size_t *room, void **buffer) {
  (void)settings, (void)values;
  if (!(flags & H5Z_FLAG_REVERSE) || size < 12) return 0;
  uint64_t total = big_endian((const uint8_t *)*buffer, 8);
  if (total == 0 || total > CHUNK_LIMIT || total / 256 > size) return 0;
  uint8_t *made = (uint8_t *)H5allocate_memory((size_t)total, 0);
  if (!made) return 0;
  if (psi_undo_lz4((const uint8_t *)*buffer, size, made, (size_t)total) != 0) {
    H5free_memory(made);
    return 0;
  }
  return replace(buffer, room, made, (size_t)total);
}

static int add(H5Z_filter_t number, const char *name, H5Z_func_t function) {
  H5Z_class2_t filter = {H5Z_CLASS_T_VERS, number, 0, 1, name, NULL, NULL, function};
  return H5Zregister(&filter) < 0 ? -1 : 0;
}

int psi_register_chunk_filters(void) {
  return add(32008, "bitshuffle", bitshuffle) || add(32000, "lzf", lzf) || add(32004, "lz4", lz4) ? -1 : 0;
}
