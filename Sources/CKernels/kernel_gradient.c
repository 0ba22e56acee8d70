#include "kernel_gradient.h"

#include <stdint.h>
#include <string.h>

#include "team.h"

/*
 * The processor's instruction adds two products at once: of a pair of columns, for sixteen maps. So rows of dY are stored as
 * pairs of columns [pair][block of maps][16 maps][2], and rows of X with neighbouring columns side by side, channel by channel;
 * with stride 2, the even columns of a row and then the odd ones, so that neighbours in the sum are neighbours in memory. What
 * lies left and right of the picture is zero. A tile of 64 maps and 6 kernel places (of any channel) stays in registers over a
 * block of some hundred pairs.
 */

enum { lanes = 16, places_most = 6, blocks_most = 4, pairs_wanted = 512 };

/* How one share cuts the work into blocks of rows of one picture, or of whole small pictures. */
typedef struct {
  size_t channels;                    /* of a share, at most */
  size_t pairs;                       /* of columns of a row of dY */
  size_t phase, row, channel, image;  /* strides in a prepared block of X: of the columns of one remainder, and so on */
  size_t rows;                        /* of X in a block */
  size_t block_images, block_rows;    /* of dY in a block; one picture, or all rows */
  size_t channel_parts, map_parts;
} psi_blocking;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t most(size_t a, size_t b) { return a > b ? a : b; }
static size_t quotient_up(size_t a, size_t b) { return (a + b - 1) / b; }
static int is_plain(psi_gradient_shape s) { return s.channels < lanes; }

static psi_blocking blocking(psi_gradient_shape s) {
  psi_blocking b;
  size_t channel_blocks = is_plain(s) ? 1 : s.channels / lanes;
  b.channel_parts = least(s.parts, channel_blocks);
  b.map_parts = most(1, least(s.parts / b.channel_parts, s.maps / lanes));
  b.channels = is_plain(s) ? s.channels : quotient_up(channel_blocks, b.channel_parts) * lanes;
  b.pairs = quotient_up(s.out_columns, 2);
  b.phase = most(quotient_up(s.columns + 2 * s.padding, s.stride) + 1, 2 * b.pairs + s.kernel_columns / s.stride + 1);
  b.phase += b.phase & 1;
  b.row = s.stride * b.phase;
  size_t pairs_of_image = s.out_rows * b.pairs;
  b.block_images = 1;
  b.block_rows = s.out_rows;
  if (2 * pairs_of_image >= 3 * pairs_wanted) {
    size_t parts = quotient_up(s.out_rows, least(s.out_rows, quotient_up(pairs_wanted, b.pairs)));
    b.block_rows = quotient_up(s.out_rows, parts);
  } else {
    b.block_images = least(s.images, quotient_up(pairs_wanted, pairs_of_image));
  }
  b.rows = s.stride * (b.block_rows - 1) + s.kernel_rows;
  b.channel = b.rows * b.row;
  b.image = b.channels * b.channel;
  return b;
}

static size_t padded(size_t bytes) { return quotient_up(bytes, 64) * 64; }
/* The last pair of a row may be read one number further. */
static size_t prepared_x_bytes(psi_blocking b) { return padded(b.image * b.block_images * 2 + 4); }
static size_t prepared_dy_bytes(psi_blocking b) { return blocks_most * b.block_images * b.block_rows * b.pairs * 64; }
static size_t place_bytes(psi_blocking b) { return padded(b.block_images * b.block_rows * b.pairs * sizeof(int32_t)); }

size_t psi_kernel_gradient_scratch(psi_gradient_shape shape) {
  psi_blocking b = blocking(shape);
  return b.channel_parts * b.map_parts * (prepared_x_bytes(b) + prepared_dy_bytes(b) + place_bytes(b));
}

#if defined(__x86_64__)
#include <immintrin.h>
#define PSI_PAIRS __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

int psi_has_bfloat16_pairs(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bf16");
}

/* out[j][m] += sum over i of dy[i][m] . x[at[i] + place[j]], for `maps` blocks of 16 maps and `places` places of the kernel. */
#define PSI_TILE(maps, places)                                                                                              \
  PSI_PAIRS static void tile_##maps##_##places(const uint16_t *dy, const uint16_t *x, const int32_t *at, size_t pairs,      \
                                               const int32_t *place, float *const *out, size_t out_block) {                 \
    __m512 sum[maps][places];                                                                                               \
    _Pragma("unroll") for (int m = 0; m < maps; m++) _Pragma("unroll") for (int j = 0; j < places; j++)                     \
        sum[m][j] = _mm512_loadu_ps(out[j] + m * out_block);                                                                \
    for (size_t i = 0; i < pairs; i++, dy += 32 * maps) {                                                                   \
      __m512bh y[maps];                                                                                                     \
      _Pragma("unroll") for (int m = 0; m < maps; m++) y[m] = (__m512bh)_mm512_load_si512(dy + 32 * m);                     \
      _Pragma("unroll") for (int j = 0; j < places; j++) {                                                                  \
        int32_t pair;                                                                                                       \
        memcpy(&pair, x + at[i] + place[j], 4);                                                                             \
        __m512bh both = (__m512bh)_mm512_set1_epi32(pair);                                                                  \
        _Pragma("unroll") for (int m = 0; m < maps; m++) sum[m][j] = _mm512_dpbf16_ps(sum[m][j], y[m], both);               \
      }                                                                                                                     \
    }                                                                                                                       \
    _Pragma("unroll") for (int m = 0; m < maps; m++) _Pragma("unroll") for (int j = 0; j < places; j++)                     \
        _mm512_storeu_ps(out[j] + m * out_block, sum[m][j]);                                                                \
  }
#define PSI_TILES(maps) \
  PSI_TILE(maps, 1) PSI_TILE(maps, 2) PSI_TILE(maps, 3) PSI_TILE(maps, 4) PSI_TILE(maps, 5) PSI_TILE(maps, 6)
PSI_TILES(1)
PSI_TILES(2)
PSI_TILES(3)
PSI_TILES(4)
#define PSI_TILE_ROW(maps) {tile_##maps##_1, tile_##maps##_2, tile_##maps##_3, tile_##maps##_4, tile_##maps##_5, tile_##maps##_6}

typedef void (*psi_tile)(const uint16_t *, const uint16_t *, const int32_t *, size_t, const int32_t *, float *const *, size_t);
static const psi_tile tiles[blocks_most][places_most] = {PSI_TILE_ROW(1), PSI_TILE_ROW(2), PSI_TILE_ROW(3), PSI_TILE_ROW(4)};

/* [columns][16] -> [pairs][16][2], `stride` apart; the partner of an odd last column is 0. */
PSI_PAIRS static void pair_columns(const uint16_t *row, size_t columns, uint16_t *pairs, size_t stride) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
                                         19, 3, 18, 2, 17, 1, 16, 0);
  size_t c = 0;
  for (; c + 1 < columns; c += 2, row += 32, pairs += stride)
    _mm512_store_si512(pairs, _mm512_permutexvar_epi16(order, _mm512_loadu_si512(row)));
  if (c < columns) _mm512_store_si512(pairs, _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)row)));
}

/* Column c of a padded row belongs to remainder c % stride and is number c / stride there. */
static size_t column(size_t c, psi_gradient_shape s, psi_blocking b) { return c % s.stride * b.phase + c / s.stride; }

/* A row [columns][16] of a blocked picture -> sixteen prepared rows, `channel` apart; columns in pairs of one remainder. */
PSI_PAIRS static void spread(const uint16_t *row, uint16_t *to, psi_gradient_shape s, psi_blocking b) {
  const __m512i counting = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i channel = _mm512_mullo_epi32(counting, _mm512_set1_epi32((int)b.channel));
  for (size_t first = 0; first < least(s.stride, s.columns); first++) {
    size_t c = first;
    for (; c + s.stride < s.columns; c += 2 * s.stride) {
      __m512i left = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(row + lanes * c)));
      __m512i right = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(row + lanes * (c + s.stride))));
      __m512i both = _mm512_or_si512(left, _mm512_slli_epi32(right, 16));
      _mm512_i32scatter_epi32(to + column(c + s.padding, s, b), channel, both, 2);
    }
    if (c < s.columns)
      for (size_t j = 0; j < lanes; j++) to[column(c + s.padding, s, b) + j * b.channel] = row[lanes * c + j];
  }
}

typedef struct {
  const uint16_t *x, *dy;
  float *dk;
  uint8_t *scratch;
  psi_gradient_shape s;
  psi_blocking b;
} psi_gradient_job;

/* Rows of X for the block of dY that begins at picture n and row p; `count` channels from `first`. */
static void prepare_x(const psi_gradient_job *job, uint16_t *x, size_t n, size_t images, size_t p, size_t first, size_t count) {
  const psi_gradient_shape s = job->s;
  const psi_blocking b = job->b;
  size_t together = is_plain(s) ? 1 : lanes;
  for (size_t i = 0; i < images; i++)
    for (size_t c = 0; c < count; c += together)
      for (size_t r = 0; r < b.rows; r++) {
        /* Unsigned: a row above the picture becomes a huge number. */
        size_t row = p * s.stride + r - s.padding;
        uint16_t *to = x + i * b.image + c * b.channel + r * b.row;
        if (row >= s.rows) {
          for (size_t j = 0; j < together; j++) memset(to + j * b.channel, 0, b.row * 2);
          continue;
        }
        const uint16_t *from = job->x + ((((n + i) * s.channels + first + c) / together * s.rows + row) * s.columns) * together;
        if (together == lanes)
          spread(from, to, s, b);
        else
          for (size_t q = 0; q < s.columns; q++) to[column(q + s.padding, s, b)] = from[q];
      }
}

static void gradient_share(size_t begin, size_t end, void *context) {
  const psi_gradient_job *job = context;
  const psi_gradient_shape s = job->s;
  const psi_blocking b = job->b;
  size_t blocks = s.maps / lanes, kernel = s.kernel_rows * s.kernel_columns, unit = is_plain(s) ? s.channels : lanes;
  size_t channel_blocks = s.channels / unit, width = is_plain(s) ? lanes : lanes * lanes;
  size_t out_block = s.channels * kernel * lanes;
  for (size_t part = begin; part < end; part++) {
    size_t across = part % b.channel_parts, along = part / b.channel_parts;
    size_t first = channel_blocks * across / b.channel_parts * unit, last = channel_blocks * (across + 1) / b.channel_parts * unit;
    size_t low = blocks * along / b.map_parts, high = blocks * (along + 1) / b.map_parts;
    uint8_t *scratch = job->scratch + part * (prepared_x_bytes(b) + prepared_dy_bytes(b) + place_bytes(b));
    uint16_t *dy = (uint16_t *)scratch, *x = (uint16_t *)(scratch + prepared_dy_bytes(b));
    int32_t *at = (int32_t *)(scratch + prepared_dy_bytes(b) + prepared_x_bytes(b));
    memset(x, 0, prepared_x_bytes(b));
    for (size_t i = 0, k = 0; i < b.block_images; i++)
      for (size_t r = 0; r < b.block_rows; r++)
        for (size_t q = 0; q < b.pairs; q++) at[k++] = (int32_t)(i * b.image + r * s.stride * b.row + 2 * q);
    for (size_t o = low; o < high; o++)
      memset(job->dk + o * out_block + first * kernel * lanes, 0, (last - first) * kernel * lanes * sizeof(float));

    for (size_t n = 0; n < s.images; n += b.block_images)
      for (size_t p = 0; p < s.out_rows; p += b.block_rows) {
        size_t images = least(b.block_images, s.images - n), rows = least(b.block_rows, s.out_rows - p);
        prepare_x(job, x, n, images, p, first, last - first);
        for (size_t o = low; o < high; o += blocks_most) {
          size_t maps = least(blocks_most, high - o);
          for (size_t m = 0; m < maps; m++)
            for (size_t i = 0; i < images; i++)
              for (size_t r = 0; r < rows; r++)
                pair_columns(
                    job->dy + (((n + i) * blocks + o + m) * s.out_rows + p + r) * s.out_columns * lanes, s.out_columns,
                    dy + ((i * b.block_rows + r) * b.pairs * maps + m) * 32, maps * 32);
          for (size_t place = 0; place < (last - first) * kernel; place += places_most) {
            size_t places = least(places_most, (last - first) * kernel - place);
            int32_t in_x[places_most];
            float *out[places_most];
            for (size_t j = 0; j < places; j++) {
              size_t c = (place + j) / kernel, k = (place + j) % kernel;
              in_x[j] = (int32_t)(c * b.channel + k / s.kernel_columns * b.row + column(k % s.kernel_columns, s, b));
              /* [block of channels][kernel place][channel][map], or [channel][kernel place][map]. */
              out[j] = job->dk + o * out_block + (is_plain(s) ? c * kernel + k : ((first + c) / lanes * kernel + k)) * width +
                       (is_plain(s) ? 0 : c % lanes * lanes);
            }
            tiles[maps - 1][places - 1](dy, x, at, images * rows * b.pairs, in_x, out, out_block);
          }
        }
      }
  }
}

void psi_kernel_gradient_bfloat16(const void *x, const void *dy, float *dk, void *scratch, psi_gradient_shape shape) {
  psi_gradient_job job = {x, dy, dk, scratch, shape, blocking(shape)};
  psi_team(job.b.channel_parts * job.b.map_parts, 1, gradient_share, &job);
}

#else

int psi_has_bfloat16_pairs(void) { return 0; }

/* Asked for only where psi_has_bfloat16_pairs. */
void psi_kernel_gradient_bfloat16(const void *x, const void *dy, float *dk, void *scratch, psi_gradient_shape shape) {
  (void)x, (void)dy, (void)dk, (void)scratch, (void)shape;
  __builtin_trap();
}
#endif
