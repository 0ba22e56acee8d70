#include "kernels.h"
#include "team.h"

/* GNU OpenMP's entry points, as compilers call them for `#pragma omp parallel`: the team is the one in which oneDNN's
   threads already wait, and no compiler flag is needed. */
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_get_max_threads(void);

typedef struct {
  size_t count;
  psi_body body;
  void *context;
} psi_share;

static void run_share(void *data) {
  const psi_share *share = data;
  size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
  size_t begin = share->count * thread / threads, end = share->count * (thread + 1) / threads;
  if (begin < end) share->body(begin, end, share->context);
}

void psi_team(size_t count, size_t grain, psi_body body, void *context) {
  size_t threads = (size_t)omp_get_max_threads();
  if (grain > 0 && count / grain < threads) threads = count / grain;
  if (threads <= 1) {
    if (count > 0) body(0, count, context);
    return;
  }
  psi_share share = {count, body, context};
  GOMP_parallel(run_share, &share, (unsigned)threads, 0);
}

void psi_team_run(size_t count, psi_body body, void *context) { psi_team(count, 1, body, context); }
