import Frames
import Host
import Tensors
import Testing

/// A frame whose pixels are noise of integer spread around 0 plus a pattern; medians of blocks of noise are known to be small.
private func frame(_ shape: Shape, seed: UInt64 = 1, _ pattern: (Int, Int, Int) -> Float) -> Tensor<Float> {
  var random = Philox(seed: seed)
  let rows = shape[1], columns = shape[2]
  return Tensor(
    shape, (0..<shape.count).map { i in pattern(i / (rows * columns), i / columns % rows, i % columns) + Float(random.normal(0, 1)) })
}

private func corrected(
  _ raw: Tensor<Float>, _ numbers: [Double], with detector: any Detector.Type, status: Tensor<UInt32>? = nil
) throws -> Tensor<Float> {
  try detector.calibrate(
    raw, CalibrationConstants(status: status, commonMode: .parameters(CommonModeParameters(numbers))), path: "p"
  ).signal
}

@Suite struct CommonModeAlgorithms {
  /// The shift of a bank, of a row in its bank column, and of a column in its half.
  @Test(arguments: [([7.0, 4, 100, 10], 3, 0, 0), ([7, 1, 100, 10], 0, 3, 0), ([7, 2, 100, 10], 0, 0, 3), ([7, 7, 100, 10], 3, 3, 3)])
  func mediansOfJungfrauBanksRowsAndColumnsAreSubtracted(_ numbers: [Double], _ bank: Int, _ row: Int, _ column: Int) throws {
    let raw = frame([1, 512, 1024]) { _, r, c in
      let bankShift = Float(bank * ((r / 256 * 16 + c / 64) % 5)), rowShift = Float(row * ((r + c / 64) % 4))
      return 1000 + bankShift + rowShift + Float(column * ((c + r / 256) % 3))
    }
    let pedestal = Tensor<Float>(repeating: 1000, [3, 512, 1024])
    let constants = CalibrationConstants(pedestal: pedestal, commonMode: .parameters(try CommonModeParameters(numbers)))
    let whole = raw.map { $0.rounded() }
    let left = try Jungfrau.calibrate(whole, constants, path: "p").signal.elements.map { Double($0) }
    let before = whole.elements.map { Double($0) - 1000 }
    // One ADU of noise and of rounding is all that is left: medians of 64 pixels and more are within a few tenths.
    #expect(Statistics.standardDeviation(Array(before.prefix(200_000))) > 2)
    #expect(Statistics.standardDeviation(Array(left.prefix(200_000))) < 1.4, "\(numbers)")
  }

  @Test func onlyHighGainOfAJungfrauTellsAndTakesTheShift() throws {
    // Left half of a bank in gain 1: its words carry the bit, its shift is another.
    let raw = frame([1, 512, 1024]) { _, _, c in c % 64 < 20 ? 16384 + 5000 : 1000 + 8 }.map { $0.rounded() }
    var pedestal = Tensor<Float>(repeating: 1000, [3, 512, 1024])
    for i in 512 * 1024..<2 * 512 * 1024 { pedestal.elements[i] = 4900 }
    let constants = CalibrationConstants(pedestal: pedestal, commonMode: .parameters(try CommonModeParameters([7, 1, 100, 10])))
    let signal = try Jungfrau.calibrate(raw, constants, path: "p").signal.elements
    #expect(abs(Statistics.mean((0..<20).map { Double(signal[$0]) }) - 100) < 2)
    #expect(abs(Statistics.mean((20..<64).map { Double(signal[$0]) })) < 1)
  }

  @Test func epixAndPnCCDBanksHaveTheirOwnNumbers() throws {
    let epix = frame([1, 704, 768]) { _, r, c in Float((r / 352 * 8 + c / 96) % 7) * 4 }
    let flat = try corrected(epix, [4, 1, 100, 10], with: Picture.self)
    #expect(Statistics.standardDeviation(flat.elements.prefix(100_000).map { Double($0) }) < 1.05)
    #expect(try corrected(epix, [0, 4, 100, 10], with: Picture.self) == flat && corrected(epix, [7, 4, 100, 10], with: Picture.self) == flat)
    let rows = frame([1, 704, 768]) { _, r, c in Float((r * 3 + c / 96) % 5) * 4 }
    #expect(Statistics.standardDeviation(try corrected(rows, [4, 2, 100, 10], with: Picture.self).elements.prefix(100_000).map { Double($0) }) < 1.05)
    let pnccd = frame([4, 512, 512]) { p, r, c in Float((p + r + c / 128) % 6) * 5 }
    #expect(Statistics.standardDeviation(try corrected(pnccd, [8, 1, 500], with: PanelCamera.self).elements.prefix(100_000).map { Double($0) }) < 1.05)
    let columns = frame([4, 512, 512]) { p, _, c in Float((p + c) % 6) * 5 }
    #expect(Statistics.standardDeviation(try corrected(columns, [8, 4, 500], with: PanelCamera.self).elements.prefix(100_000).map { Double($0) }) < 1.05)
    #expect(throws: InputError.self) { try corrected(pnccd, [4, 1, 100], with: PanelCamera.self) }
    #expect(throws: InputError.self) { try corrected(epix, [8, 1, 500], with: Picture.self) }
  }

  @Test func consecutivePixelsHaveTheMeanOrMedianOfTheLowOnes() throws {
    // 8 pixels: six at 3 and two photons above the threshold; the mean of the low ones with an outlier below it differs from the median.
    let row: [Float] = [3, 3, 3, 3, 3, 9, 500, 600, -7, -7, -7, -7, -7, -7, -7, -7]
    let raw = Tensor<Float>([1, 2, 8], row)
    #expect(try corrected(raw, [3, 100, 50, 8], with: Picture.self).elements == [0, 0, 0, 0, 0, 6, 497, 597, 0, 0, 0, 0, 0, 0, 0, 0])
    #expect(try corrected(raw, [2, 100, 50, 8], with: Picture.self).elements.prefix(7) == [-1, -1, -1, -1, -1, 5, 496])
    // Beyond the largest shift nothing is done.
    #expect(try corrected(raw, [3, 100, 5, 8], with: Picture.self).elements.suffix(8).allSatisfy { $0 == -7 })
    // A bad pixel does not tell.
    var status = Tensor<UInt32>(repeating: 0, [1, 2, 8])
    for i in 0..<4 { status.elements[i] = 1 }
    #expect(try corrected(raw, [3, 100, 50, 8], with: Picture.self, status: status).elements.prefix(6) == [0, 0, 0, 0, -3, 3])
  }

  @Test func namesAndNumbersAreOneSetting() throws {
    #expect(try CommonMode(parsing: "histogram").parameters?.numbers == [1, 25, 25, 100])
    #expect(try CommonMode(parsing: "nonBonded").parameters?.numbers == [5, 50])
    #expect(try CommonMode(parsing: "7,3,200,10") == .parameters(CommonModeParameters([7, 3, 200, 10])))
    #expect(try CommonMode(parsing: "0").parameters == nil && CommonMode(parsing: "0,0").parameters == nil)
    for text in ["6,1,2", "banana", "1,25", "7,1.5,100", "3,1,1,0", "", "1,2,3,4,5,6"] {
      #expect(throws: InputError.self, "\(text)") { try CommonMode(parsing: text) }
    }
    for mode in [CommonMode.none, .histogram, .nonBonded, try CommonMode(parsing: "3,348,348,128")] {
      #expect(try CanonicalJSON.value([CommonMode].self, from: CanonicalJSON.data([mode]), path: "p") == [mode])
    }
  }
}

/// Panels as they are, for the algorithms that do not ask which camera it is.
private enum PanelCamera: Detector {
  static let name = "panels"
  static func recognizes(_ info: PayloadInfo) -> Bool { false }
  static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    throw InputError(path: path, place: "", expected: "no payload", found: "one")
  }
  static func calibrate(_ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String) throws(InputError) -> Frame {
    try Opal1000.calibrate(raw, constants, path: path)
  }
}

@Suite struct PixelMasks {
  @Test func statusBitsAndHandMadeMasksAreChosen() throws {
    let raw = Tensor<Float>([1, 1, 6], [1, 2, 3, 4, 5, 6])
    var constants = CalibrationConstants(status: Tensor([1, 1, 6], [0, 1, 2, 16, 18, 32]), pixelMask: Tensor([1, 1, 6], [1, 1, 1, 1, 1, 0]))
    #expect(try Picture.calibrate(raw, constants, path: "p").mask.elements == [1, 0, 0, 0, 0, 0])
    constants.mask.statusBits = 16
    #expect(try Picture.calibrate(raw, constants, path: "p").mask.elements == [1, 1, 1, 0, 0, 0])
    constants.mask = try PixelMask(["pixelMask"])
    #expect(try Picture.calibrate(raw, constants, path: "p").mask.elements == [1, 1, 1, 1, 1, 0])
    #expect(throws: InputError.self) { try PixelMask(["staus"]) }
  }

  @Test func edgesWideColumnsAndNeighboursOfNonBondedPixelsAreMasked() throws {
    let raw = Tensor<Float>(repeating: 7, [2, 185, 388])
    func masked(_ names: [String]) throws -> Int {
      try CSPAD.calibrate(raw, CalibrationConstants(mask: PixelMask(names)), path: "p").maskedCount
    }
    // 38 non-bonded pixels a sensor are always masked; 2 of them in a corner row or column, two in each.
    #expect(try masked([]) == 2 * 38)
    #expect(try masked(["central"]) == 2 * (38 + 2 * 185 - nonBonded { _, c in c == 193 || c == 194 }))
    #expect(try masked(["edges"]) == 2 * (38 + 2 * 388 + 2 * 183 - nonBonded { r, c in r == 0 || r == 184 || c == 0 || c == 387 }))
    // Inside the sensor each has four neighbours or eight; (0,0) and (0,194) lie at the edge.
    let four = try masked(["nonBonded4"]), eight = try masked(["nonBonded8"])
    #expect(four == 2 * (36 * 5 + 3 + 4) && eight == 2 * (36 * 9 + 4 + 6))
  }

  private func nonBonded(_ lies: (Int, Int) -> Bool) -> Int {
    stride(from: 0, to: 185, by: 10).reduce(0) { $0 + (lies($1, $1) ? 1 : 0) + (lies($1, $1 + 194) ? 1 : 0) }
  }
}
