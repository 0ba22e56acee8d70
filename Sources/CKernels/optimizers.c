#include <math.h>

#include "kernels.h"
#include "team.h"

/* Below this many numbers a thread costs more than it saves. */
enum { grain = 16384 };

typedef struct {
  float *w, *v, *m;
  const float *g;
  float rate, momentum, decay;
  psi_adamw_settings adamw;
} psi_update;

PSI_VECTOR static void sgd_range(float *restrict w, const float *restrict g, float *restrict v, size_t count, float rate,
                                 float momentum, float decay) {
  for (size_t i = 0; i < count; i++) {
    float velocity = momentum * v[i] + g[i] + decay * w[i];
    v[i] = velocity;
    w[i] -= rate * velocity;
  }
}

static void sgd_share(size_t begin, size_t end, void *context) {
  const psi_update *u = context;
  sgd_range(u->w + begin, u->g + begin, u->v + begin, end - begin, u->rate, u->momentum, u->decay);
}

void psi_sgd(float *w, const float *g, float *v, size_t count, float rate, float momentum, float decay) {
  psi_update update = {.w = w, .g = g, .v = v, .rate = rate, .momentum = momentum, .decay = decay};
  psi_team(count, grain, sgd_share, &update);
}

PSI_VECTOR static void adamw_range(float *restrict w, const float *restrict g, float *restrict m, float *restrict v,
                                   size_t count, psi_adamw_settings s) {
  for (size_t i = 0; i < count; i++) {
    float first = s.beta1 * m[i] + (1 - s.beta1) * g[i];
    float second = s.beta2 * v[i] + (1 - s.beta2) * g[i] * g[i];
    m[i] = first;
    v[i] = second;
    float direction = (first / s.correction1) / (sqrtf(second / s.correction2) + s.epsilon);
    w[i] -= s.rate * (direction + s.decay * w[i]);
  }
}

static void adamw_share(size_t begin, size_t end, void *context) {
  const psi_update *u = context;
  adamw_range(u->w + begin, u->g + begin, u->m + begin, u->v + begin, end - begin, u->adamw);
}

void psi_adamw(float *w, const float *g, float *m, float *v, size_t count, psi_adamw_settings settings) {
  psi_update update = {.w = w, .g = g, .m = m, .v = v, .adamw = settings};
  psi_team(count, grain, adamw_share, &update);
}
