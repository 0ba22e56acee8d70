#ifndef PSIMAGENET_TEAM_H
#define PSIMAGENET_TEAM_H
#include <stddef.h>

/* Splits 0..<count into one range a thread of the OpenMP team and runs `body` on each; alone where a thread would get fewer
   than `grain`. */
typedef void (*psi_body)(size_t begin, size_t end, void *context);
void psi_team(size_t count, size_t grain, psi_body body, void *context);

/* One version for each vector width, chosen when the program is loaded. */
#if defined(__x86_64__) && defined(__linux__)
#define PSI_VECTOR __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define PSI_VECTOR
#endif
#endif
