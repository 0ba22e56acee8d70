import Corpora
import Cues
import Frames
import Pretexts
import Tensors
import Testing

/// Sizes at which other software's operations were measured: mean residual of 255 counts, Python with OpenCV and Pillow.
private let widths = [96, 97, 99, 100, 112]

private func residual(_ step: PipelineStep, _ width: Int, glide: Bool = false) throws -> CommutationResidual {
  try CommutationResidual(of: step, under: .mirror, height: 96, width: width, frames: 2, seed: 3, measuringGlide: glide)
}

/// A step on one plane.
private func step(_ name: String, period: Int = 1, _ body: @escaping @Sendable (Tensor<Float>) -> Tensor<Float>) -> PipelineStep {
  PipelineStep(name, period: period) { $0.map(body) }
}

/// The median of a window from `low` to `high` pixels around each, edges repeated.
private func median(_ low: Int, _ high: Int) -> PipelineStep {
  step("median") { plane in
    let height = plane.shape[0], width = plane.shape[1]
    var result = plane.elements
    for row in 0..<height {
      for column in 0..<width {
        var window: [Float] = []
        for i in low...high {
          for j in low...high { window.append(plane.elements[min(height - 1, max(0, row + i)) * width + min(width - 1, max(0, column + j))]) }
        }
        window.sort()
        let half = window.count / 2
        result[row * width + column] = window.count % 2 == 1 ? window[half] : (window[half - 1] + window[half]) / 2
      }
    }
    return Tensor(plane.shape, result)
  }
}

@Test(arguments: widths) func operationsThatCommuteDoSoBitForBit(width: Int) throws {
  // The product's own: area average to odd and even sizes, and what acts pixel by pixel.
  for size in [33, 48, 65] {
    let average = PipelineStep("area average") { planes in
      let image = MaskedImage(pixels: planes[0], weight: Tensor(repeating: 1, planes[0].shape)).resampled(toHeight: size, width: size)
      return [image.pixels, image.weight]
    }
    #expect(try residual(average, width).largest == 0)
  }
  let tone = PipelineStep("tone") { planes in
    [ToneMap(.asinh, scale: 30).mapped(MaskedImage(pixels: planes[0], weight: Tensor(repeating: 1, planes[0].shape))).pixels]
  }
  #expect(try residual(tone, width).largest == 0)
  #expect(try residual(median(-1, 1), width).largest == 0)
}

/// Two independent counts of 0...255 differ by 85 on average; a window that moved by one pixel keeps a part of its pixels.
@Test(arguments: widths) func operationsThatDoNotCommuteLeaveWhatOthersMeasured(width: Int) throws {
  let isOdd = width % 2 == 1
  let second = step("every second pixel", period: 2) { plane in
    let columns = (plane.shape[1] + 1) / 2
    return Tensor([plane.shape[0], columns], (0..<plane.shape[0] * columns).map { plane.elements[$0 / columns * plane.shape[1] + 2 * ($0 % columns)] })
  }
  #expect(abs(try residual(second, width).mean - (isOdd ? 0 : 85.3)) < 2)
  #expect(abs(try residual(.stem(kernel: 3, stride: 2, padding: 1), width).mean - (isOdd ? 0 : 16.6)) < 1)
  let bin = step("2×2 mean that drops a remainder", period: 2) { plane in
    let rows = plane.shape[0] / 2, columns = plane.shape[1] / 2, width = plane.shape[1]
    return Tensor([rows, columns], (0..<rows * columns).map { i in
      let at = i / columns * 2 * width + i % columns * 2
      return (plane.elements[at] + plane.elements[at + 1] + plane.elements[at + width] + plane.elements[at + width + 1]) / 4
    })
  }
  #expect(abs(try residual(bin, width).mean - (isOdd ? 29.3 : 0)) < 1)
  #expect(abs(try residual(median(-1, 2), width).mean - 16.5) < 1)
}

/// libjpeg in grey, quality 25: small at multiples of its blocks, and 35 counts elsewhere. Random shifts hide it.
@Test(arguments: [96, 97, 99, 100, 112]) func jpegCommutesAtMultiplesOfItsBlocksOnly(width: Int) throws {
  let found = try residual(.jpeg(quality: 25), width)
  if width % 16 == 0 {
    #expect(found.mean > 0 && found.mean < 0.1 && found.commutes)
  } else if width % 8 != 0 {
    #expect(abs(found.mean - 35) < 3 && !found.commutes)
  }
}

/// Error diffusion runs along the rows: about 41 counts whatever the size, and no shift hides it.
@Test func aScanDirectionIsNoticedAtEverySize() throws {
  let dither = step("Floyd and Steinberg", period: 2) { plane in
    let height = plane.shape[0], width = plane.shape[1]
    var values = plane.elements.map { Double($0) }
    for row in 0..<height {
      for column in 0..<width {
        let i = row * width + column, old = values[i], new = old < 127.5 ? 0.0 : 255
        values[i] = new
        if column + 1 < width { values[i + 1] += (old - new) * 7 / 16 }
        guard row + 1 < height else { continue }
        if column > 0 { values[i + width - 1] += (old - new) * 3 / 16 }
        values[i + width] += (old - new) * 5 / 16
        if column + 1 < width { values[i + width + 1] += (old - new) / 16 }
      }
    }
    return Tensor(plane.shape, values.map { Float($0) })
  }
  for width in [97, 112] {
    let found = try residual(dither, width, glide: true)
    #expect(abs(found.mean - 41) < 4)
    #expect(!found.isHiddenByShifts)
  }
}

/// A step that moves the picture by one pixel is a glide reflection: shifts hide it, and only they.
@Test func aShiftIsHiddenByShifts() throws {
  let shift = step("moved by one", period: 4) { plane in
    let width = plane.shape[1]
    return Tensor(plane.shape, plane.elements.indices.map { $0 % width == 0 ? 0 : plane.elements[$0 - 1] })
  }
  let found = try residual(shift, 64, glide: true)
  #expect(found.relative > 0.9 && !found.commutes)
  #expect(found.glide == 0 && found.isHiddenByShifts)
}

/// The verdicts of the table: a chiral step fails a run unless the recipe owns up to it, and one that a control judges does not.
@Test func aStepThatDoesNotCommuteFailsUnlessItIsOwned() throws {
  let sizes = [(height: 16, width: 16), (height: 16, width: 17)]
  func verdict(_ step: PipelineStep, _ owned: Set<String>) throws -> CommutationTable.Verdict {
    try CommutationTable.row("median", step, "", sizes: sizes, owned: owned).verdict
  }
  #expect(try verdict(median(-1, 1), []) == .commutes)
  #expect(try verdict(median(-1, 2), []) == .fails)
  #expect(try verdict(median(-1, 2), ["median"]) == .owned)
  let judged = PipelineStep("pinwheel", judgedBy: "mask only") { [Tensor($0[0].shape, $0[0].elements.enumerated().map { $0.offset % 16 < 8 ? $0.element : 0 })] }
  #expect(try verdict(judged, []) == .judged)
  let row = try CommutationTable.row("median", median(-1, 2), "camera", sizes: sizes, owned: [])
  #expect(row.reason?.contains("owns") == true && CommutationTable(rows: [row]).failures.count == 1)
}

/// Tasks that cut and resample do it alike on both sides, at odd and even sizes; cutting at a corner does not.
@Test(arguments: [SingleImage() as any PretextTask, CropPresence(), CropRegion(), CropPosition(), SimCLR(), Multi([.init(Flip()), .init(CropPresence())])])
func tasksCutAndResampleAlikeOnBothSides(task: any PretextTask) throws {
  let sizes = [65, 96, 97, 100].map { (height: $0, width: $0) }
  let row = try CommutationTable.row("cut", .cutting(of: task), "", sizes: sizes, owned: [])
  #expect(row.verdict == .commutes && row.residuals.count == 12, "\(String(describing: row.worst))")
  var random = Philox(seed: 2)
  let whole = Tensor([97, 97], random.normals(97 * 97, 0, 1))
  #expect(try PipelineStep.cutting(of: task)([whole])[0] != whole, "it does cut")
  // A mutant: the piece lies one pixel beside the middle.
  let mutant = PipelineStep("mutant") { planes in try PipelineStep.cutting(of: task)(planes.map { plane in
    Tensor(plane.shape, plane.elements.indices.map { plane.elements[$0 / plane.shape[1] * plane.shape[1] + min($0 % plane.shape[1] + 1, plane.shape[1] - 1)] })
  }) }
  #expect(try CommutationTable.row("cut", mutant, "", sizes: sizes, owned: []).verdict == .fails)
}

/// The table of a run has the row for tasks that cut, and says what shifts would hide of steps that take pictures of any size.
@Test func theTableOfARunShowsHowItsTaskCuts() throws {
  let corpus = try NoiseCorpus(side: 65)
  func table(_ task: any PretextTask) throws -> CommutationTable {
    try CommutationTable(fresh(task, corpus.corpus).description.recipe, scaling: InputScaling(mean: 0, deviation: 1), corpus: corpus.corpus)
  }
  let cutting = try table(SingleImage()), whole = try table(Flip())
  #expect(cutting.rows.first { $0.key == "cut" }?.verdict == .commutes)
  #expect(whole.rows.allSatisfy { $0.key != "cut" })
  #expect(whole.rows.first { $0.key == "tone map" }!.residuals.allSatisfy { $0.glide == 0 })
}

/// A turn that no size admits leaves nothing to measure, which is not the same as commuting.
@Test func aStepThatCouldNotBeTriedIsNotSaidToCommute() throws {
  let row = try CommutationTable.row(
    "calibrate", .jpeg(quality: 25), "panels", sizes: [(height: 65, width: 112)], under: [.quarterTurn], owned: [])
  #expect(row.residuals.isEmpty && row.verdict == .information && row.reason?.contains("not square") == true)
}

/// Panels that lie on whole pixels of the canvas measure a mirrored scene as the mirrored one; a panel a quarter pixel off does not, and a CSPAD
/// has many.
@Test func anAssemblyCommutesWherePanelsLieOnWholePixels() throws {
  func row(_ shift: Double) throws -> CommutationTable.Row {
    let nodes = [(0.0, 0.0), (0.0, 2000.0 + shift)].enumerated().map { index, place in
      Geometry.Node(parent: "TOP:V1", object: "MTRX:V2:12:12:100:100", index: index, x: place.0, y: place.1)
    }
    let (step, height, width) = try PipelineStep.assembly(.psana(Geometry(nodes: nodes, path: "test")))
    #expect(height == 12 && width == 32)
    return try CommutationTable.row("assemble", step, "camera", sizes: [(height, width)], owned: [])
  }
  #expect(try row(0).verdict == .commutes && row(0).worst?.largest == 0)
  let off = try row(25)
  #expect(off.verdict == .judged && off.reason?.contains("mirrored geometry") == true)
  // Two shots of it are worlds apart, the mirrored twin is a fraction of a pixel off.
  let worst = try #require(off.worst)
  #expect(worst.relative > 0.05 && worst.relative < 0.6, "\(worst.relative)")
  func assembly(_ detector: String, _ panels: Shape?, _ symmetry: Symmetry = .mirror) throws -> CommutationTable.Row {
    try CommutationTable.assembly(of: detector, panels: panels, "camera", under: [symmetry])
  }
  let cspad = try assembly(CSPAD.name, [32, 185, 388])
  #expect(cspad.verdict == .judged && cspad.reason?.contains("twin under the same light") == true)
  // A recipe may own up to it.
  let owned = try CommutationTable.assembly(of: CSPAD.name, panels: nil, "camera", under: [.mirror], owned: ["assemble"])
  #expect(owned.verdict == .owned && CommutationTable.ownable.contains("assemble"))
  // What was not measured is not said to commute.
  for row in try [assembly(CSPAD.name, [2, 185, 388]), assembly(PNCCD.name, nil), assembly(Jungfrau.name, nil, .quarterTurn)] {
    #expect(row.verdict == .information && row.residuals.isEmpty && row.reason?.contains("not measured") == true)
  }
}
