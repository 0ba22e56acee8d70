import Tensors

/// Softened targets: `t' = (1 − ε)·t + ε/K` for K classes. Source: Szegedy et al., CVPR 2016, section 7; PyTorch's convention.
///
/// Applies to training only; losses on the validation split are against the answers themselves.
package enum LabelSmoothing {
  /// Target distributions `[N,K]`, or one target in 0...1 per example `[N]`, which is the case K = 2.
  /// Traps for other shapes.
  package static func smoothed(_ targets: Tensor<Float>, by share: Double) -> Tensor<Float> {
    precondition(targets.shape.rank == 1 || targets.shape.rank == 2, "targets \(targets.shape) are no answers per example")
    guard share > 0 else { return targets }
    let classes = targets.shape.rank == 2 ? targets.shape[1] : 2
    let keep = Float(1 - share), spread = Float(share / Double(classes))
    return targets.map { keep * $0 + spread }
  }
}
