/// How activations are stored while a plan runs. Weights, normalisation, pooled features and losses are always float32.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// bfloat16 activations and convolution weights: 8 bits of mantissa, faster where the CPU has AMX or, but for Intel's, AVX512-BF16.
  case bfloat16
}
