#ifndef PSIMAGENET_PANELS_H
#define PSIMAGENET_PANELS_H
#include <stddef.h>
#include <stdint.h>

/* Loops over the pixels of one detector panel. Each is compiled for several instruction sets, of which the caller names one that the
   processor has. All give the same bits: numbers are rounded after every operation, and sums have one order. */

typedef enum { psi_portable = 0, psi_avx2 = 1, psi_avx512 = 2 } psi_instructions;

/* The widest that this processor has; those before it are there, too. */
psi_instructions psi_best_instructions(void);

/* Tables of a histogram, which take turns: neighbours mostly fall into one bin, and a count need not wait for the one before. */
enum { psi_histogram_turns = 16 };
/* More values than this may overflow a table. */
enum { psi_histogram_limit = psi_histogram_turns * 65535 };

/* Bins of width 1 from `lowest` on, and counts of what falls into them: [bins + 1][turns], the last bin for all else. The caller
   sets them to 0. */
typedef struct {
  float lowest;
  uint32_t bins; /* at most 65534 */
  uint16_t *tables;
} psi_histogram;

/* The bins that may hold a count: first <= bin < end. */
typedef struct {
  uint32_t first, end;
} psi_bins;

/* signal[i] = counts[i] - pedestal[i], and counted by the histogram unless it has no bins; says in which. Counts are 16-bit words at
   any address, at most `psi_histogram_limit` of them where there is a histogram. */
psi_bins psi_subtract_pedestal(
    const void *counts, int is_signed, const float *pedestal, float *signal, size_t count, psi_histogram histogram, psi_instructions);

/* counts[b] = what the tables of a histogram have in bin b, all of which lie in `used`; sets the tables to 0. */
void psi_histogram_counts(psi_histogram histogram, psi_bins used, ptrdiff_t *counts);

typedef struct {
  uint32_t saturated; /* pixels with a finite divisor whose count is at `full` or above */
  uint32_t is_doubtful; /* 1 where a signal became infinite or no number */
} psi_panel_outcome;

/* signal[i] = (signal[i] - shift) / divisor[i]; an infinite divisor gives 0. */
psi_panel_outcome psi_divide_by_gain(
    const void *counts, int is_signed, float full, float shift, const float *divisor, float *signal, size_t count, psi_instructions);

/* Sixteen neighbouring pixels that add to one sum. */
typedef struct {
  uint32_t start, cell, pattern, weight;
} psi_segment;

/* sums[cell] += weight * (pattern . signal[start ..< start + 16]) for every segment, in double precision. */
void psi_add_segments(
    const float *signal, const psi_segment *segments, size_t count, const float *patterns, double *sums, psi_instructions);
#endif
