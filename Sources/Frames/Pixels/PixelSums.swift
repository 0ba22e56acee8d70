import CPixels

/// Many weighted sums over the pixels of one panel: sums[cell] += weight · signal[pixel], for a list of (pixel, cell, weight).
///
/// Up to sixteen neighbours that add to one sum are one segment, whose weights are a pattern times a number; there are few different
/// patterns. Products are exact, sums in Double in the order of the segments: the same bits by any instructions.
package struct PixelSums: Sendable {
  /// Pixels of a segment.
  private static let width = 16

  private let pixelCount: Int
  private let cellCount: Int
  private let segments: [psi_segment]
  /// `[patterns, 16]`
  private let patterns: [Float]

  /// Adds the sums of one panel; every signal must be finite. Traps for another number of pixels or sums.
  package func add(_ signal: Span<Float>, to sums: inout [Double], instructions: PixelInstructions = .best) {
    precondition(signal.count == pixelCount && sums.count >= cellCount, "\(signal.count) pixels, \(sums.count) sums")
    guard !segments.isEmpty else { return }
    if pixelCount < Self.width {
      // Segments are read whole.
      var padded = [Float](repeating: 0, count: Self.width)
      for i in 0..<pixelCount { padded[i] = signal[i] }
      unsafe psi_add_segments(padded, segments, segments.count, patterns, &sums, instructions.name)
      return
    }
    unsafe signal.withUnsafeBufferPointer { signal in
      unsafe psi_add_segments(signal.baseAddress!, segments, segments.count, patterns, &sums, instructions.name)
    }
  }

  /// Collects the terms of the sums.
  package struct Builder {
    private let pixelCount: Int, width = PixelSums.width
    private var cellCount = 0
    /// Segments that may still grow.
    private var open: [Open] = []
    private var segments: [psi_segment] = [], patterns: [Float] = []
    private var numbers: [SIMD16<UInt32>: UInt32] = [:]

    private struct Open {
      var start: Int, cell: Int, weights: SIMD16<UInt32>
    }

    package init(pixelCount: Int) { self.pixelCount = pixelCount }

    /// Pixels must come in rising order. Traps for one outside, and for a weight below 1 or above 2^32 - 1.
    package mutating func add(pixel: Int, cell: Int, weight: Int) {
      precondition((0..<pixelCount).contains(pixel) && cell >= 0 && weight > 0, "pixel \(pixel), cell \(cell), weight \(weight)")
      var place = 0
      while place < open.count {
        if pixel - open[place].start >= width {
          close(open.remove(at: place))
          continue
        }
        if open[place].cell == cell {
          open[place].weights[pixel - open[place].start] += UInt32(weight)
          return
        }
        place += 1
      }
      // The last segments begin early enough to end with the panel.
      let start = max(0, min(pixel, pixelCount - width))
      var weights = SIMD16<UInt32>(repeating: 0)
      weights[pixel - start] = UInt32(weight)
      open.append(Open(start: start, cell: cell, weights: weights))
      cellCount = max(cellCount, cell + 1)
    }

    private mutating func close(_ segment: Open) {
      var divisor: UInt32 = 0
      for lane in 0..<width where segment.weights[lane] != 0 {
        var rest = segment.weights[lane]
        while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        if divisor == 1 { break }
      }
      let pattern = segment.weights / SIMD16(repeating: divisor)
      let number = numbers[pattern] ?? UInt32(numbers.count)
      if number == numbers.count {
        numbers[pattern] = number
        for lane in 0..<width { patterns.append(Float(pattern[lane])) }
      }
      segments.append(psi_segment(start: UInt32(segment.start), cell: UInt32(segment.cell), pattern: number, weight: divisor))
    }

    package consuming func finish() -> PixelSums {
      for segment in open { close(segment) }
      return PixelSums(pixelCount: pixelCount, cellCount: cellCount, segments: segments, patterns: patterns)
    }
  }
}
