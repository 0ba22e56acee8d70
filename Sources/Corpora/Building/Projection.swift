import Frames
import Host
import Synchronization
import Tensors

/// Assembly, framing and area average of a detector in one step: from the pixels of all panels to the small picture, without the
/// assembled picture between, which has a hundred times as many pixels.
///
/// It is the same sum: value = Σ o·v / Σ o over the good pixels, weight = Σ o / area, with o the overlap of a canvas pixel with the
/// picture's pixel in whole units; several panel pixels on one canvas pixel count as their mean. Sums are in Double, in the order of
/// the panels, so that pixels agree with those of assembly and area average to rounding.
///
/// What depends on the mask alone is kept from frame to frame, for as long as the mask stays the same.
package final class Projection: Sendable {
  package let panelShape: Shape
  private let height: Int, width: Int
  private let area: Double
  /// The canvas pixels that one panel pixel reaches, by panels.
  private let panels: [PixelSums]
  /// Canvas pixels that several panel pixels reach, each the mean of its good members; as the pixels of one panel more.
  private let shared: PixelSums
  /// The members of shared pixel i are those from `memberStarts[i]` to `memberStarts[i + 1]`.
  private let memberStarts: [Int32]
  /// By panels: which pixel of it is which member.
  private let memberPixels: [[(pixel: Int32, member: Int32)]]
  private let last = Mutex<(mask: [UInt8], shares: Shares)?>(nil)

  /// What one mask makes of the denominators.
  package struct Shares: Sendable {
    /// Σ o over good pixels.
    fileprivate var sums: [Double]
    /// Good members of each shared pixel.
    fileprivate var members: [Float]
    /// The weight of the picture's pixels.
    fileprivate var weight: Tensor<Float>
  }

  /// The sums of a picture that is being made.
  package struct Sums {
    fileprivate var cells: [Double]
    fileprivate var members: [Float]
  }

  package init(
    _ assembly: Assembly, _ image: CorpusRecipe.ImageSize, _ fit: SourceRecipe.Fit, centre: (row: Double, column: Double)? = nil
  ) {
    let framing = Framing(
      sourceHeight: assembly.height, sourceWidth: assembly.width, height: image.height, width: image.width, fit: fit, centre: centre)
    (height, width, panelShape) = (image.height, image.width, assembly.panelShape)
    area = Double(framing.sourceRows.count) * Double(framing.sourceColumns.count)
    let rows = CellOverlaps(framing.sourceRows, framing.rows, within: assembly.height)
    let columns = CellOverlaps(framing.sourceColumns, framing.columns, within: assembly.width)
    let canvasWidth = assembly.width, imageWidth = image.width
    @Sendable func add(_ pixel: Int, at target: Int, to builder: inout PixelSums.Builder) {
      for r in rows[target / canvasWidth] {
        for c in columns[target % canvasWidth] {
          builder.add(pixel: pixel, cell: Int(r.cell) * imageWidth + Int(c.cell), weight: Int(r.overlap) * Int(c.overlap))
        }
      }
    }
    let targets = assembly.targets, size = panelShape[1] * panelShape[2]
    var reached = [UInt8](repeating: 0, count: assembly.height * assembly.width)
    for target in targets where target >= 0 { reached[Int(target)] = min(2, reached[Int(target)] + 1) }
    let reaches = reached
    panels = (0..<panelShape[0]).concurrentMap { panel in
      var builder = PixelSums.Builder(pixelCount: size)
      for pixel in 0..<size {
        let target = Int(targets[panel * size + pixel])
        if target >= 0, reaches[target] == 1 { add(pixel, at: target, to: &builder) }
      }
      return builder.finish()
    }
    let members = targets.indices.filter { targets[$0] >= 0 && reached[Int(targets[$0])] > 1 }
      .sorted { (targets[$0], $0) < (targets[$1], $1) }
    var starts: [Int32] = [], pixels = [[(pixel: Int32, member: Int32)]](repeating: [], count: panelShape[0])
    for (number, pixel) in members.enumerated() {
      if number == 0 || targets[members[number - 1]] != targets[pixel] { starts.append(Int32(number)) }
      pixels[pixel / size].append((Int32(pixel % size), Int32(number)))
    }
    var builder = PixelSums.Builder(pixelCount: starts.count)
    for (place, start) in starts.enumerated() { add(place, at: Int(targets[members[Int(start)]]), to: &builder) }
    shared = builder.finish()
    memberStarts = starts + [Int32(members.count)]
    memberPixels = pixels
  }

  /// The picture of a frame `[panels, rows, columns]`, `[height, width]`. Signal must be 0 where the mask is. Traps on another
  /// shape. Cost: about a third of a nanosecond a pixel.
  package func picture(of frame: Frame) -> MaskedImage {
    precondition(frame.signal.shape == panelShape, "a frame \(frame.signal.shape) for a projection of \(panelShape)")
    let known = last.withLock { $0 }, shares: Shares
    if let known, Projection.areEqual(known.mask, frame.mask.elements) {
      shares = known.shares
    } else {
      shares = self.shares(of: frame.mask)
      last.withLock { $0 = (frame.mask.elements, shares) }
    }
    return picture(sums(of: frame.signal.elements), shares)
  }

  // MARK: Panel by panel

  package func makeSums() -> Sums {
    Sums(
      cells: [Double](repeating: 0, count: height * width), members: [Float](repeating: 0, count: Int(memberStarts[memberStarts.count - 1])))
  }

  /// Adds a panel's signal, row-major, 0 where a pixel is bad. The bits of the sums depend on the order of the panels.
  package func add(_ signal: Span<Float>, ofPanel panel: Int, to sums: inout Sums) {
    panels[panel].add(signal, to: &sums.cells)
    for place in memberPixels[panel] { sums.members[Int(place.member)] = signal[Int(place.pixel)] }
  }

  /// The picture when all panels are added.
  package func picture(_ sums: consuming Sums, _ shares: Shares) -> MaskedImage {
    var means = memberSums(sums.members)
    for i in means.indices { means[i] = shares.members[i] > 0 ? means[i] / shares.members[i] : 0 }
    shared.add(means.span, to: &sums.cells)
    var pixels = [Float](repeating: 0, count: sums.cells.count)
    for i in pixels.indices where shares.sums[i] > 0 { pixels[i] = Float(sums.cells[i] / shares.sums[i]) }
    return MaskedImage(pixels: Tensor([height, width], pixels), weight: shares.weight)
  }

  /// The denominators for the good pixels of a mask.
  package func shares(of mask: Tensor<UInt8>) -> Shares {
    precondition(mask.shape == panelShape, "a mask \(mask.shape) for a projection of \(panelShape)")
    var sums = sums(of: mask.elements.map { $0 == 0 ? 0 : 1 })
    let members = memberSums(sums.members)
    shared.add(members.map { min($0, 1) }.span, to: &sums.cells)
    let weight = sums.cells.map { Float(min(1, $0 / area)) }
    return Shares(sums: sums.cells, members: members, weight: Tensor([height, width], weight))
  }

  private func sums(of signal: [Float]) -> Sums {
    var sums = makeSums()
    let size = panelShape[1] * panelShape[2], signal = signal.span
    for panel in panels.indices { add(signal.extracting(panel * size..<(panel + 1) * size), ofPanel: panel, to: &sums) }
    return sums
  }

  private func memberSums(_ members: [Float]) -> [Float] {
    (0..<memberStarts.count - 1).map { i in
      var sum: Float = 0
      for member in memberStarts[i]..<memberStarts[i + 1] { sum += members[Int(member)] }
      return sum
    }
  }

  /// As `==`, without a branch in the loop.
  private static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    let a = a.span, b = b.span
    var difference: UInt8 = 0
    for i in 0..<min(a.count, b.count) { difference |= a[i] ^ b[i] }
    return difference == 0
  }
}

/// Source cell -> the target cells that it overlaps along one axis, in units of 1/(source·target).
private struct CellOverlaps: Sendable {
  private var starts: [Int32] = [0]
  private var overlaps: [(cell: Int32, overlap: Int32)] = []

  /// Cells `source` of `extent` are divided into the cells `target`.
  init(_ source: Range<Int>, _ target: Range<Int>, within extent: Int) {
    let n = source.count, m = target.count
    for cell in 0..<extent {
      if source.contains(cell) {
        let i = cell - source.lowerBound
        for j in i * m / n...((i + 1) * m - 1) / n {
          let overlap = min((i + 1) * m, (j + 1) * n) - max(i * m, j * n)
          if overlap > 0 { overlaps.append((Int32(target.lowerBound + j), Int32(overlap))) }
        }
      }
      starts.append(Int32(overlaps.count))
    }
  }

  subscript(cell: Int) -> ArraySlice<(cell: Int32, overlap: Int32)> { overlaps[Int(starts[cell])..<Int(starts[cell + 1])] }
}
