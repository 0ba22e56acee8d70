import Frames
import Synchronization
import Tensors

/// Assembly, framing and area average of a detector in one step: from the pixels of all panels to the small picture, without the
/// assembled picture between, which has a hundred times as many pixels.
///
/// It is the same sum: value = Σ o·v / Σ o over the good pixels, weight = Σ o / area, with o the overlap of a canvas pixel with the
/// picture's pixel in whole units; several panel pixels on one canvas pixel count as their mean. Sums are in Double, in the order of
/// the panels, so that pixels agree with those of assembly and area average to rounding.
///
/// Panel pixels that follow one another mostly fall into one pixel of the picture: they are kept as runs. What depends on the mask
/// alone is kept from frame to frame, for as long as the mask stays the same.
package final class Projection: Sendable {
  package let panelShape: Shape
  private let height: Int, width: Int
  private let area: Double
  private let runs: [Run]
  /// Canvas pixels that several panel pixels reach: each is the mean of its good `members`.
  private let shared: [Shared]
  private let members: [Int32], terms: [Term]
  private let last = Mutex(Shares())

  /// `count` panel pixels from `start` on, all with overlap `weight` with picture pixel `cell`.
  private struct Run { var start: Int32, count: Int32, cell: Int32, weight: Float }
  private struct Term { var cell: Int32, weight: Float }
  private struct Shared { var members: Range<Int32>, terms: Range<Int32> }

  /// Σ o over good pixels for one mask.
  private struct Shares: Sendable {
    var mask: [UInt8] = []
    var sums: [Double] = []
  }

  package init(
    _ assembly: Assembly, _ image: CorpusRecipe.ImageSize, _ fit: SourceRecipe.Fit, centre: (row: Double, column: Double)? = nil
  ) {
    let framing = Framing(
      sourceHeight: assembly.height, sourceWidth: assembly.width, height: image.height, width: image.width, fit: fit, centre: centre)
    (height, width, panelShape) = (image.height, image.width, assembly.panelShape)
    area = Double(framing.sourceRows.count) * Double(framing.sourceColumns.count)
    let rows = Projection.overlaps(framing.sourceRows, framing.rows, within: assembly.height)
    let columns = Projection.overlaps(framing.sourceColumns, framing.columns, within: assembly.width)
    func forEachTerm(of target: Int, _ body: (Term) -> Void) {
      for r in rows[target / assembly.width] {
        for c in columns[target % assembly.width] {
          body(Term(cell: Int32(r.cell * image.width + c.cell), weight: Float(r.overlap * c.overlap)))
        }
      }
    }
    let targets = assembly.targets
    var reached = [UInt8](repeating: 0, count: assembly.height * assembly.width)
    for target in targets where target >= 0 { reached[Int(target)] = min(2, reached[Int(target)] + 1) }
    var runs: [Run] = [], sharing: [Int32: [Int32]] = [:]
    // Runs that may still grow, by their picture pixel.
    var growing: [Run] = [], next: [Run] = []
    for (pixel, target) in targets.enumerated() where target >= 0 {
      if reached[Int(target)] > 1 {
        sharing[target, default: []].append(Int32(pixel))
        continue
      }
      forEachTerm(of: Int(target)) { term in
        if let i = growing.firstIndex(where: { $0.cell == term.cell && $0.weight == term.weight && Int($0.start + $0.count) == pixel }) {
          var run = growing[i]
          run.count += 1
          growing.swapAt(i, growing.count - 1)
          growing.removeLast()
          next.append(run)
        } else {
          next.append(Run(start: Int32(pixel), count: 1, cell: term.cell, weight: term.weight))
        }
      }
      runs += growing
      growing.removeAll(keepingCapacity: true)
      swap(&growing, &next)
    }
    self.runs = runs + growing
    var shared: [Shared] = [], members: [Int32] = [], all: [Term] = []
    for (target, pixels) in sharing.sorted(by: { $0.key < $1.key }) {
      var terms: [Term] = []
      forEachTerm(of: Int(target)) { terms.append($0) }
      shared.append(
        Shared(
          members: Int32(members.count)..<Int32(members.count + pixels.count), terms: Int32(all.count)..<Int32(all.count + terms.count)))
      members += pixels
      all += terms
    }
    (self.shared, self.members, self.terms) = (shared, members, all)
  }

  /// Source cell -> the target cells that it overlaps, in units of 1/(source·target).
  private static func overlaps(_ source: Range<Int>, _ target: Range<Int>, within extent: Int) -> [[(cell: Int, overlap: Int)]] {
    let n = source.count, m = target.count
    var found = [[(cell: Int, overlap: Int)]](repeating: [], count: extent)
    for i in 0..<n {
      for j in i * m / n...((i + 1) * m - 1) / n {
        let overlap = min((i + 1) * m, (j + 1) * n) - max(i * m, j * n)
        if overlap > 0 { found[source.lowerBound + i].append((target.lowerBound + j, overlap)) }
      }
    }
    return found
  }

  /// The picture of a frame `[panels, rows, columns]`, `[height, width]`. Signal must be 0 where the mask is. Traps on another
  /// shape. Cost: about a nanosecond a pixel.
  package func picture(of frame: Frame) -> MaskedImage {
    precondition(frame.signal.shape == panelShape, "a frame \(frame.signal.shape) for a projection of \(panelShape)")
    var sums = [Double](repeating: 0, count: height * width)
    let signal = frame.signal.elements.span, mask = frame.mask.elements.span
    for run in runs {
      let part = signal.extracting(Int(run.start)..<Int(run.start + run.count))
      sums[Int(run.cell)] += Double(run.weight) * Projection.sum(part)
    }
    for pixel in shared {
      var sum = 0.0, count = 0.0
      for i in pixel.members where mask[Int(members[Int(i)])] != 0 {
        sum += Double(signal[Int(members[Int(i)])])
        count += 1
      }
      guard count > 0 else { continue }
      for i in pixel.terms { sums[Int(terms[Int(i)].cell)] += Double(terms[Int(i)].weight) * sum / count }
    }
    let shares = shares(of: frame.mask)
    var pixels = [Float](repeating: 0, count: sums.count), weights = pixels
    for i in sums.indices where shares[i] > 0 {
      pixels[i] = Float(sums[i] / shares[i])
      weights[i] = Float(min(1, shares[i] / area))
    }
    return MaskedImage(pixels: Tensor([height, width], pixels), weight: Tensor([height, width], weights))
  }

  /// As `==`, without a branch in the loop.
  private static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    let a = a.span, b = b.span
    var difference: UInt8 = 0
    for i in 0..<min(a.count, b.count) { difference |= a[i] ^ b[i] }
    return difference == 0
  }

  private static func sum(_ values: Span<Float>) -> Double {
    var a = 0.0, b = 0.0, c = 0.0, d = 0.0, i = 0
    while i + 4 <= values.count {
      a += Double(values[i])
      b += Double(values[i + 1])
      c += Double(values[i + 2])
      d += Double(values[i + 3])
      i += 4
    }
    while i < values.count {
      a += Double(values[i])
      i += 1
    }
    return (a + b) + (c + d)
  }

  private func shares(of mask: Tensor<UInt8>) -> [Double] {
    let known = last.withLock { $0 }
    if Projection.areEqual(known.mask, mask.elements) { return known.sums }
    var sums = [Double](repeating: 0, count: height * width)
    let good = mask.elements.span
    for run in runs {
      var count = 0
      for i in Int(run.start)..<Int(run.start + run.count) where good[i] != 0 { count += 1 }
      sums[Int(run.cell)] += Double(run.weight) * Double(count)
    }
    for pixel in shared where pixel.members.contains(where: { good[Int(members[Int($0)])] != 0 }) {
      for i in pixel.terms { sums[Int(terms[Int(i)].cell)] += Double(terms[Int(i)].weight) }
    }
    let new = Shares(mask: mask.elements, sums: sums)
    last.withLock { $0 = new }
    return sums
  }
}
