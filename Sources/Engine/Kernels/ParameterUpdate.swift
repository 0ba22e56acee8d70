import CKernels

/// Optimiser steps over flat arrays, on all cores of the engine. Bits depend neither on the number of cores nor on slicing.
public enum ParameterUpdate {
  /// `v ← μv + g + λw; w ← w − ηv` for the numbers of `range`. Traps when `range` leaves an array. Cost: five passes over memory.
  public static func momentum(
    _ w: inout [Float], _ g: [Float], _ v: inout [Float], _ range: Range<Int>, rate: Float, momentum: Float, decay: Float
  ) {
    check(range, w.count, g.count, v.count)
    let start = range.lowerBound
    unsafe w.withUnsafeMutableBufferPointer { w in
      unsafe g.withUnsafeBufferPointer { g in
        unsafe v.withUnsafeMutableBufferPointer { v in
          unsafe psi_sgd(
            w.baseAddress! + start, g.baseAddress! + start, v.baseAddress! + start, range.count, rate, momentum, decay)
        }
      }
    }
  }

  /// The constants of Adam with decoupled weight decay; `step` counts from 1.
  public struct Adam {
    var settings: psi_adamw_settings
    public init(rate: Float, beta1: Float, beta2: Float, epsilon: Float, decay: Float, correction1: Float, correction2: Float) {
      settings = psi_adamw_settings(
        rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: decay, correction1: correction1, correction2: correction2)
    }
  }

  /// `m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − η((m/c₁)/(√(v/c₂)+ε) + λw)`, `cᵢ = 1 − βᵢᵗ`.
  public static func adam(
    _ w: inout [Float], _ g: [Float], _ m: inout [Float], _ v: inout [Float], _ range: Range<Int>, _ adam: Adam
  ) {
    check(range, w.count, g.count, m.count, v.count)
    let start = range.lowerBound
    unsafe w.withUnsafeMutableBufferPointer { w in
      unsafe g.withUnsafeBufferPointer { g in
        unsafe m.withUnsafeMutableBufferPointer { m in
          unsafe v.withUnsafeMutableBufferPointer { v in
            unsafe psi_adamw(
              w.baseAddress! + start, g.baseAddress! + start, m.baseAddress! + start, v.baseAddress! + start, range.count,
              adam.settings)
          }
        }
      }
    }
  }

  private static func check(_ range: Range<Int>, _ counts: Int...) {
    precondition(range.lowerBound >= 0 && counts.allSatisfy { range.upperBound <= $0 }, "numbers \(range) of arrays of \(counts)")
  }
}
