/* The loops of panels.h, included once for every instruction set: PSI_NAME names a function of this set, PSI_TARGET are its attributes. */

PSI_TARGET static psi_bins PSI_NAME(subtract)(
    const uint16_t *words, int is_signed, const float *pedestal, float *signal, size_t count, psi_histogram histogram) {
  enum { block = 1024, turns = psi_histogram_turns };
  uint16_t bin[block];
  const float lowest = histogram.lowest, range = (float)histogram.bins;
  const int32_t outside = (int32_t)histogram.bins;
  int32_t least = outside, most = -1;
  uint16_t *tables = histogram.tables;
  for (size_t first = 0; first < count; first += block) {
    size_t length = count - first < block ? count - first : block;
    const float *offset = pedestal + first;
    float *to = signal + first;
    if (is_signed) {
      const psi_int16 *from = (const psi_int16 *)words + first;
      for (size_t i = 0; i < length; i++) to[i] = (float)from[i] - offset[i];
    } else {
      const psi_uint16 *from = (const psi_uint16 *)words + first;
      for (size_t i = 0; i < length; i++) to[i] = (float)from[i] - offset[i];
    }
    if (!histogram.bins) continue;
    for (size_t i = 0; i < length; i++) {
      float above = to[i] - lowest;
      above = above >= 0 ? above : range;
      above = above < range ? above : range;
      int32_t own = (int32_t)above, inside = own < outside ? own : -1;
      least = own < least ? own : least;
      most = inside > most ? inside : most;
      bin[i] = (uint16_t)own;
    }
    size_t i = 0;
    for (; i + turns <= length; i += turns) {
#pragma unroll
      for (int turn = 0; turn < turns; turn++) tables[turns * bin[i + turn] + turn]++;
    }
    for (int turn = 0; i < length; i++, turn++) tables[turns * bin[i] + turn]++;
  }
  return least < outside ? (psi_bins){(uint32_t)least, (uint32_t)most + 1} : (psi_bins){0, 0};
}

PSI_TARGET static psi_panel_outcome PSI_NAME(divide)(
    const uint16_t *words, int is_signed, float full, float shift, const float *divisor, float *signal, size_t count) {
  const uint32_t exponent = 0x7F800000;
  uint32_t saturated = 0, doubt = 0;
  /* Twice the same loop, since the compiler makes no vector instructions of a choice between kinds of words. */
  if (is_signed) {
    const psi_int16 *from = (const psi_int16 *)words;
    for (size_t i = 0; i < count; i++) {
      uint32_t bits, is_good, of_divisor;
      memcpy(&of_divisor, divisor + i, 4);
      is_good = of_divisor != exponent;
      float value = (signal[i] - shift) / divisor[i];
      signal[i] = value;
      memcpy(&bits, &value, 4);
      doubt |= (bits & exponent) == exponent;
      saturated += ((float)from[i] >= full) & is_good;
    }
  } else {
    const psi_uint16 *from = (const psi_uint16 *)words;
    for (size_t i = 0; i < count; i++) {
      uint32_t bits, is_good, of_divisor;
      memcpy(&of_divisor, divisor + i, 4);
      is_good = of_divisor != exponent;
      float value = (signal[i] - shift) / divisor[i];
      signal[i] = value;
      memcpy(&bits, &value, 4);
      doubt |= (bits & exponent) == exponent;
      saturated += ((float)from[i] >= full) & is_good;
    }
  }
  return (psi_panel_outcome){saturated, doubt};
}

PSI_TARGET static void PSI_NAME(add)(
    const float *signal, const psi_segment *segments, size_t count, const float *patterns, double *sums) {
  for (size_t s = 0; s < count; s++) {
    const psi_segment segment = segments[s];
    const psi_floats *from = (const psi_floats *)(signal + segment.start), *weights = (const psi_floats *)(patterns + 16 * (size_t)segment.pattern);
    psi_doubles low = __builtin_convertvector(from[0], psi_doubles) * __builtin_convertvector(weights[0], psi_doubles);
    psi_doubles high = __builtin_convertvector(from[1], psi_doubles) * __builtin_convertvector(weights[1], psi_doubles);
    psi_doubles eight = low + high;
    psi_four four = __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    psi_two two = __builtin_shufflevector(four, four, 0, 1) + __builtin_shufflevector(four, four, 2, 3);
    sums[segment.cell] += (double)segment.weight * (two[0] + two[1]);
  }
}
