#include "resampling.h"

#include "numbers.h"
#include "team.h"

typedef struct {
  const void *x;
  void *y;
  psi_resampling s;
  psi_taps rows, columns;
} psi_resampling_job;

static inline float same(float x) { return x; }

/* One row of the result; the place's lanes are summed side by side. */
#define RESAMPLED_ROW(NAME, TYPE, LANES, WIDENED, NARROWED)                                                       \
  PSI_VECTOR static void NAME(const psi_resampling_job *job, size_t row) {                                         \
    const psi_resampling s = job->s;                                                                               \
    const psi_taps rows = job->rows, columns = job->columns;                                                       \
    size_t plane = row / s.out_rows, oy = row % s.out_rows;                                                        \
    const TYPE *from = (const TYPE *)job->x + plane * s.rows * s.columns * LANES;                                  \
    TYPE *to = (TYPE *)job->y + row * s.out_columns * LANES;                                                       \
    for (size_t ox = 0; ox < s.out_columns; ox++) {                                                                \
      float sum[LANES] = {0};                                                                                      \
      for (int32_t i = rows.start[oy]; i < rows.start[oy + 1]; i++) {                                              \
        const TYPE *line = from + (size_t)rows.index[i] * s.columns * LANES;                                       \
        for (int32_t j = columns.start[ox]; j < columns.start[ox + 1]; j++) {                                      \
          const TYPE *place = line + (size_t)columns.index[j] * LANES;                                             \
          float weight = rows.weight[i] * columns.weight[j];                                                       \
          for (size_t l = 0; l < LANES; l++) sum[l] += weight * WIDENED(place[l]);                                 \
        }                                                                                                          \
      }                                                                                                            \
      for (size_t l = 0; l < LANES; l++) to[ox * LANES + l] = NARROWED(sum[l]);                                    \
    }                                                                                                              \
  }

RESAMPLED_ROW(row_float32, float, 1, same, same)
RESAMPLED_ROW(row_float32_blocked, float, 16, same, same)
RESAMPLED_ROW(row_bfloat16, uint16_t, 1, psi_widened, psi_narrowed)
RESAMPLED_ROW(row_bfloat16_blocked, uint16_t, 16, psi_widened, psi_narrowed)

static void resampling_share(size_t begin, size_t end, void *context) {
  const psi_resampling_job *job = context;
  for (size_t row = begin; row < end; row++) {
    if (job->s.lanes == 16)
      job->s.is_bfloat16 ? row_bfloat16_blocked(job, row) : row_float32_blocked(job, row);
    else
      job->s.is_bfloat16 ? row_bfloat16(job, row) : row_float32(job, row);
  }
}

void psi_resample(const void *x, void *y, psi_resampling s, psi_taps rows, psi_taps columns) {
  psi_resampling_job job = {x, y, s, rows, columns};
  psi_team(s.planes * s.out_rows, 1 + 4096 / (s.out_columns * s.lanes), resampling_share, &job);
}
