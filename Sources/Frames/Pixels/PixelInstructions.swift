import CPixels

/// The vector instructions with which loops over pixels run. All give the same bits.
package struct PixelInstructions: Sendable {
  let name: psi_instructions

  /// The widest that this processor has.
  package static let best = PixelInstructions(name: psi_best_instructions())
  /// All that this processor has.
  package static var available: [PixelInstructions] {
    (0...psi_best_instructions().rawValue).map { PixelInstructions(name: psi_instructions(rawValue: $0)) }
  }
}
