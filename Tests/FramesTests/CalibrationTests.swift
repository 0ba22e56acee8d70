import Foundation
import Frames
import Host
import Tensors
import Testing

/// A CSPAD panel of a Poisson field with gain, noise and one shift: what common mode has to find.
private func panels(shifts: [Float], photons: Double, seed: UInt64) -> Tensor<Float> {
  var random = Philox(seed: seed)
  let pixels = 185 * 388
  var values: [Float] = []
  let dead = Set(CSPAD.nonBondedPixels)
  for shift in shifts {
    for i in 0..<pixels {
      let signal = dead.contains(i) ? 0 : 27 * Float(random.poisson(photons))
      values.append(1000 + shift + signal + Float(random.normal(0, 3.4)))
    }
  }
  return Tensor([shifts.count, 185, 388], values)
}

@Test(arguments: [(CommonMode.histogram, 0.02), (.histogram, 0.15), (.nonBonded, 0.02), (.nonBonded, 0.8)])
func commonModeIsRecoveredWithinOneADU(_ mode: CommonMode, _ photons: Double) throws {
  let shifts: [Float] = [0, 7.3, -11.8], raw = panels(shifts: shifts, photons: photons, seed: 3)
  let pedestal = Tensor<Float>(repeating: 1000, raw.shape)
  let plain = try CSPAD.calibrate(raw, CalibrationConstants(pedestal: pedestal), path: "p")
  let corrected = try CSPAD.calibrate(raw, CalibrationConstants(pedestal: pedestal, commonMode: mode), path: "p")
  for (panel, shift) in shifts.enumerated() {
    // Any pixel moves by the same shift: read it off a bonded one.
    let i = panel * 185 * 388 + 5
    let tolerance: Float = mode == .histogram ? 1 : 2.2  // 38 pixels of 3.4 ADU: four standard errors
    #expect(abs(plain.signal.elements[i] - corrected.signal.elements[i] - shift) < tolerance, "panel \(panel)")
  }
}

@Test func commonModeBeyondItsLimitIsLeftAlone() throws {
  let raw = panels(shifts: [60], photons: 0.02, seed: 4), pedestal = Tensor<Float>(repeating: 1000, raw.shape)
  let plain = try CSPAD.calibrate(raw, CalibrationConstants(pedestal: pedestal), path: "p")
  for mode in [CommonMode.histogram, .nonBonded] {
    #expect(try CSPAD.calibrate(raw, CalibrationConstants(pedestal: pedestal, commonMode: mode), path: "p").signal == plain.signal)
  }
}

@Test func calibrationSubtractsDividesAndMasksInOrder() throws {
  let raw = Tensor<Float>([1, 1, 5], [110, 120, 130, 140, .nan])
  let constants = CalibrationConstants(
    pedestal: Tensor(repeating: 100, [1, 1, 5]), gain: Tensor([1, 1, 5], [10, 5, 0, 2, 1]), status: Tensor([1, 1, 5], [0, 0, 0, 4, 0]))
  let frame = try Opal1000.calibrate(raw, constants, path: "p")
  #expect(frame.signal.elements == [1, 4, 0, 0, 0])
  #expect(frame.mask.elements == [1, 1, 0, 0, 0])
  #expect(frame.unit == .photons)
  #expect(throws: InputError.self) {
    try Opal1000.calibrate(raw, CalibrationConstants(pedestal: Tensor(repeating: 1, [1, 5, 1])), path: "p")
  }
  #expect(throws: InputError.self) { try Opal1000.calibrate(raw, CalibrationConstants(commonMode: .nonBonded), path: "p") }
}

@Suite struct CalibrationFolders {
  @Test func constantsComeBackAsWritten() throws {
    let root = try temporaryFolder(), folder = CalibrationFolder(root + "/calib"), shape: Shape = [1, 3, 4]
    defer { try? FileManager.default.removeItem(atPath: root) }
    let pedestal = Tensor<Float>(shape, (0..<12).map { 1000.25 + Float($0) }), gain = Tensor<Float>(repeating: 0.25, shape)
    try folder.write(pedestal, kind: .pedestals, source: "CxiDs1.0:Cspad.0", experiment: "e", first: 3, last: 9)
    try folder.write(gain, kind: .gain, source: "CxiDs1.0:Cspad.0", experiment: "e", first: 0)
    try folder.write(Tensor(shape, (0..<12).map { Float($0 % 3) }), kind: .status, source: "CxiDs1.0:Cspad.0", experiment: "e", first: 0)
    for name in ["CxiDs1.0:Cspad.0", "DetInfo(CxiDs1.0:Cspad.0)", "CxiDs1-0|Cspad-0"] {
      let read = try folder.constants(for: name, run: 5, shape: shape)
      #expect(read.pedestal == pedestal)
      #expect(read.gain == Tensor(repeating: 4, shape))
      #expect(read.status?.elements == (0..<12).map { UInt32($0 % 3) })
      #expect(read.noise == nil)
      #expect(read.digest.count == 64)
    }
    // Run 10 is past the pedestals.
    let later = try folder.constants(for: "CxiDs1.0:Cspad.0", run: 10, shape: shape)
    #expect(later.pedestal == nil && later.gain != nil)
    #expect(later.digest != (try folder.constants(for: "CxiDs1.0:Cspad.0", run: 5, shape: shape)).digest)
    #expect(throws: InputError.self) { try folder.constants(for: "CxiDs1.0:Cspad.0", run: 5, shape: [1, 3, 5]) }
    #expect(throws: InputError.self) { try folder.constants(for: "CxiDs2.0:Cspad.0", run: 5, shape: shape) }
  }

  @Test func theLatestStartThatCoversARunWins() throws {
    let root = try temporaryFolder(), folder = CalibrationFolder(root)
    defer { try? FileManager.default.removeItem(atPath: root) }
    for (first, last) in [(0, nil), (10, nil), (10, 12), (20, nil)] as [(Int, Int?)] {
      let value = Float(first * 100 + (last ?? 99))
      try folder.write(
        Tensor(repeating: value, [1, 1, 1]), kind: .pedestals, source: "A.0:Opal1000.0", experiment: "e", first: first, last: last)
    }
    for (run, expected) in [(0, 99), (9, 99), (10, 1012), (12, 1012), (13, 1099), (25, 2099)] as [(Int, Float)] {
      #expect(try folder.constants(for: "A.0:Opal1000.0", run: run, shape: [1, 1, 1]).pedestal?.elements == [expected], "run \(run)")
    }
  }

  @Test func textOfOtherProgramsIsReadAndFaultsNameTheLine() throws {
    let root = try temporaryFolder(), file = root + "/Camera::CalibV1/A.0:Opal1000.0/pedestals/0-end.data"
    defer { try? FileManager.default.removeItem(atPath: root) }
    func read(_ text: String) throws -> [Float]? {
      try AtomicFile.write(Data(text.utf8), to: file)
      return try CalibrationFolder(root).constants(for: "A.0:Opal1000.0", run: 1, shape: [1, 2, 3]).pedestal?.elements
    }
    #expect(try read("# TITLE x\n# NDIM 2\n# DIM:1 2\n# DIM:2 3\n1 -2.5 +3e2\n .5 1.0E-3\t7") == [1, -2.5, 300, 0.5, 0.001, 7])
    #expect(try read("1 2 3 4 -inf NaN")?[5].isNaN == true)
    for (text, place) in [("1 2 3\n4 x5 6\n", "line 2"), ("1 2 3 4 5 6e\n", "line 1"), ("# DIM:1 0\n", "line 1"), ("1 2 3 4 5", "numbers")] {
      let error = #expect(throws: InputError.self) { try read(text) }
      #expect(error?.place == place, "\(text)")
    }
    let error = #expect(throws: InputError.self) { try read("# DIM:1 2\n# DIM:2 4\n1 2 3 4 5 6\n") }
    #expect(error?.expected.contains("2×4") == true)
  }

  @Test(arguments: [UInt64(1), 2])
  func numbersAgreeWithTheStandardLibrary(_ seed: UInt64) throws {
    var random = Philox(seed: seed)
    let words = (0..<5000).map { _ -> String in
      let value = (random.uniform() - 0.5) * pow(10, random.uniform(-12, 12))
      return Bool.random(using: &random) ? "\(value)" : "\(Float(value))"
    }
    let root = try temporaryFolder(), file = root + "/Camera::CalibV1/A.0:Opal1000.0/pedestals/0-end.data"
    defer { try? FileManager.default.removeItem(atPath: root) }
    try AtomicFile.write(Data(words.joined(separator: " ").utf8), to: file)
    let constants = try CalibrationFolder(root).constants(for: "A.0:Opal1000.0", run: 1, shape: [1, 1, 5000])
    let values = try #require(constants.pedestal?.elements)
    for (word, value) in zip(words, values) {
      let exact = try #require(Float(word))
      #expect(value == exact || value.nextUp == exact || value.nextDown == exact, "\(word)")
    }
  }

  @Test func aFullDetectorOfTextIsReadQuickly() throws {
    let root = try temporaryFolder(), shape: Shape = [32, 185, 388], folder = CalibrationFolder(root)
    defer { try? FileManager.default.removeItem(atPath: root) }
    let values = Tensor<Float>(shape, (0..<shape.count).map { 1000 + Float($0 % 60000) / 100 })
    try folder.write(values, kind: .pedestals, source: "CxiDs1.0:Cspad.0", experiment: "e", first: 0)
    let clock = ContinuousClock()
    var read: CalibrationConstants?
    let time = try clock.measure { read = try folder.constants(for: "CxiDs1.0:Cspad.0", run: 1, shape: shape) }
    let off = zip(try #require(read?.pedestal).elements, values.elements).count { abs($0 - $1) > 0.0051 }
    #expect(off == 0)
    // 0.15 s alone; the bound allows for a busy machine.
    #expect(time < .seconds(3))
    print("2.3 million numbers of text in \(time)")
  }

  @Test func numpyFilesAreKnownByTheirContent() throws {
    let root = try temporaryFolder(), file = root + "/Camera::CalibV1/A.0:Opal1000.0/pedestals/0-end.data"
    defer { try? FileManager.default.removeItem(atPath: root) }
    let dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 2), }"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(dictionary.utf8.count), 0] + Array(dictionary.utf8)
    for value in [1.5, -2.25] { bytes += (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt64($0))) } }
    try AtomicFile.write(Data(bytes), to: file)
    let folder = CalibrationFolder(root)
    #expect(try folder.constants(for: "A.0:Opal1000.0", run: 1, shape: [1, 1, 2]).pedestal?.elements == [1.5, -2.25])
    try AtomicFile.write(Data(bytes.dropLast(3)), to: file)
    #expect(throws: InputError.self) { try folder.constants(for: "A.0:Opal1000.0", run: 1, shape: [1, 1, 2]) }
  }
}
