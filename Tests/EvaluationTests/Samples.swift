import Evaluation
import Tensors

/// Two Gaussian classes `separation` apart along the first of `width` axes, in `runs` groups that each hold both.
func gaussians(_ count: Int, width: Int, separation: Double, runs: Int, seed: UInt64, firstRun: Int = 0) -> Embeddings {
  var random = Philox(seed: seed)
  var elements: [Float] = []
  let labels = (0..<count).map { $0 % 2 }
  for label in labels {
    for d in 0..<width {
      elements.append(Float(random.normal() + (d == 0 ? separation * (Double(label) - 0.5) : 0)))
    }
  }
  return Embeddings(
    vectors: Tensor([count, width], elements), labels: labels, classes: ["a", "b"],
    groups: (0..<count).map { firstRun + ($0 / 2) % runs })
}
