import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

private func array(_ shape: Shape, _ element: ElementType, _ bytes: [UInt8], source: String = "") -> Payload {
  Payload(info: PayloadInfo(source: source, typeName: "npy", element: element, shape: shape), bytes: bytes)
}

private func floats(_ values: [Float]) -> [UInt8] {
  values.flatMap { v in (0..<4).map { UInt8(truncatingIfNeeded: v.bitPattern >> (8 * UInt32($0))) } }
}

@Suite struct DAQEncoderPatterns {
  static let path = RealData.file("xtc1/daq_encoder_patterns.xtc")

  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence)))
  func cspadReturnsThePatternTheDAQEncoderWrote() throws {
    let walk = try RunWalk(Self.path), payloads = walk.payloads(type: 28, name: "CxiDs1.0:Cspad.0")
    #expect(payloads.count == 2)
    for payload in payloads {
      #expect(DetectorCatalog.detector(for: payload.info)?.name == "cspad")
      let raw = try CSPAD.decode(payload, path: "p")
      #expect(raw.shape == [32, 185, 388])
      let pixels = 185 * 388
      for quad in 0..<4 {
        var stored = 0
        for section in 0..<8 {
          let panel = raw[first: 8 * quad + section].elements
          // roiMask 0xffff0fff: quad 1 stores sections 0 to 3.
          if quad == 1 && section > 3 {
            #expect(panel.allSatisfy { $0.isNaN })
            continue
          }
          let wrong = panel.indices.count { panel[$0] != Float(1000 * quad + 100 * section + (stored * pixels + $0) % 97) }
          #expect(wrong == 0, "quad \(quad) section \(section)")
          stored += 1
        }
      }
      let frame = try CSPAD.calibrate(raw, CalibrationConstants(), path: "p")
      #expect(frame.maskedCount == 4 * pixels + 28 * 38)
    }
  }

  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence)))
  func cspad2x2AndOpalReturnTheirPatterns() throws {
    let walk = try RunWalk(Self.path)
    for payload in walk.payloads(type: 41, name: "XppGon.0:Cspad2x2.0") {
      let raw = try CSPAD.decode(payload, path: "p")
      #expect(raw.shape == [2, 185, 388])
      #expect(raw[first: 0].elements.allSatisfy { $0 == 1000 } && raw[first: 1].elements.allSatisfy { $0 == 2000 })
    }
    for payload in walk.payloads(type: 2, name: "XppEndstation.0:Opal1000.1") {
      #expect(DetectorCatalog.detector(for: payload.info)?.name == "opal1000")
      let raw = try Opal1000.decode(payload, path: "p")
      #expect(raw.shape == [1, 8, 1024])
      #expect(raw.elements.indices.allSatisfy { raw.elements[$0] == Float($0 % 4096) })
    }
  }

  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence)))
  func everyTruncationThrows() throws {
    let walk = try RunWalk(Self.path)
    for (type, name) in [(28, "CxiDs1.0:Cspad.0"), (41, "XppGon.0:Cspad2x2.0"), (2, "XppEndstation.0:Opal1000.1")] as [(UInt32, String)] {
      var payload = try #require(walk.payloads(type: type, name: name).first)
      let whole = payload.bytes, detector = try #require(DetectorCatalog.detector(for: payload.info))
      for size in [0, 1, 3, 4, 8, 16, 31, 36, whole.count / 4, whole.count / 2, whole.count - 4, whole.count - 1] {
        payload.bytes = Array(whole.prefix(size))
        #expect(throws: InputError.self, "\(name) cut to \(size)") { try detector.decode(payload, path: "p") }
      }
      payload.bytes = whole
      guard type == 28, var configuration = payload.configuration else { continue }
      configuration.bytes.removeLast(5)
      payload.configuration = configuration
      #expect(throws: InputError.self) { try detector.decode(payload, path: "p") }
      payload.configuration = nil
      #expect(throws: InputError.self) { try detector.decode(payload, path: "p") }
    }
  }

  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence)))
  func repeatedQuadsThrowInsteadOfOverwriting() throws {
    let walk = try RunWalk(Self.path)
    var payload = try #require(walk.payloads(type: 28, name: "c").first)
    payload.bytes[7] = 0  // the quad bits of the first header: 2 -> 0, which comes again
    #expect(throws: InputError.self) { try CSPAD.decode(payload, path: "p") }
  }
}

@Test func randomBytesNeverCrashADetector() {
  var random = Philox(seed: 5)
  var failures = 0
  for _ in 0..<400 {
    let bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    for (type, version) in [("CspadElement", 1), ("CspadElement", 2), ("Cspad2x2Element", 1), ("Frame", 1)] {
      let configuration = Payload.Configuration(typeName: "CspadConfig", version: Int.random(in: 0...7, using: &random), bytes: bytes)
      let payload = Payload(
        info: PayloadInfo(source: "", typeName: type, version: version, element: .record, shape: [bytes.count]), bytes: bytes,
        configuration: configuration)
      guard let detector = DetectorCatalog.detector(for: payload.info) else { continue }
      do { _ = try detector.decode(payload, path: "p") } catch { failures += 1 }
    }
  }
  #expect(failures > 1000)
}

@Test(arguments: [[32, 185, 388], [4, 8, 185, 388], [2, 185, 388], [185, 388]])
func plainCSPADArraysKeepTheirOrder(_ extents: [Int]) throws {
  let shape = Shape(extents), values = (0..<shape.count).map { Float($0 % 16381) }
  let payload = array(shape, .float32, floats(values))
  #expect(DetectorCatalog.detector(for: payload.info)?.name == "cspad")
  let raw = try CSPAD.decode(payload, path: "p")
  #expect(raw.shape == [shape.count / (185 * 388), 185, 388])
  #expect(raw.elements == values)
}

@Test func interleavedCSPADSectionsAreSeparated() throws {
  let values = (0..<185 * 388 * 2).map { (i: Int) -> Float in i % 2 == 0 ? Float(i / 2) : -Float(i / 2) - 1 }
  let raw = try CSPAD.decode(array([185, 388, 2], .float32, floats(values)), path: "p")
  #expect(raw.shape == [2, 185, 388])
  #expect(raw.elements[7] == 7 && raw.elements[185 * 388 + 7] == -8)
}

@Test func cheetahSlabIsCutIntoSections() throws {
  // Value = 1000 · quad + 10 · section + asic, by the panel table q{Q}a{A}: min_fs = 388 Q + 194 (A % 2), min_ss = 185 floor(A / 2).
  let values = (0..<1480 * 1552).map { i -> Float in
    let row = i / 1552, column = i % 1552
    return Float(1000 * (column / 388) + 10 * (row / 185) + column % 388 / 194)
  }
  let raw = try CSPAD.decode(array([1480, 1552], .float32, floats(values)), path: "p")
  for panel in [0, 5, 13, 31] {
    let elements = raw[first: panel].elements, base = Float(1000 * (panel / 8) + 10 * (panel % 8))
    #expect(elements[0] == base && elements[193] == base && elements[194] == base + 1 && elements.last == base + 1)
  }
}

@Test func picturesMaskWhatIsNotANumber() throws {
  let raw = try Picture.decode(array([2, 3], .float32, floats([1, .nan, 3, .infinity, -5, 0])), path: "p")
  let frame = try Picture.calibrate(raw, CalibrationConstants(), path: "p")
  #expect(frame.mask.elements == [1, 0, 1, 0, 1, 1])
  #expect(frame.signal.elements == [1, 0, 3, 0, -5, 0])
  #expect(frame.maskedCount == 2)
  #expect(frame.unit == .adu)
}

@Test func everyNumericTypeIsReadLittleEndian() throws {
  let cases: [(ElementType, [UInt8], Float)] = [
    (.uint8, [200], 200), (.int8, [0xFE], -2), (.uint16, [1, 2], 513), (.int16, [0xFF, 0xFF], -1), (.uint32, [0, 0, 1, 0], 65536),
    (.int32, [0xFE, 0xFF, 0xFF, 0xFF], -2), (.uint64, [5, 0, 0, 0, 0, 0, 0, 0], 5), (.int64, Array(repeating: 0xFF, count: 8), -1),
    (.float32, [0, 0, 0x80, 0x3F], 1), (.float64, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F], 1.5),
  ]
  for (element, bytes, expected) in cases {
    #expect(try Picture.decode(array([1, 1], element, bytes), path: "p").elements == [expected], "\(element)")
    #expect(throws: InputError.self) { try Picture.decode(array([1, 2], element, bytes), path: "p") }
    #expect(throws: InputError.self) { try Picture.decode(array([Int.max / 2, 5], element, bytes), path: "p") }
  }
}

@Test func jungfrauGainBitsChooseTheBlock() throws {
  // Gain bits 00, 01, 11 and the impossible 10, each over the value 100 + range.
  let words: [UInt16] = [100, 101 | 0x4000, 102 | 0xC000, 103 | 0x8000]
  let raw = Tensor<Float>([1, 1, 4], words.map(Float.init))
  let pedestal = Tensor<Float>([3, 1, 4], (0..<12).map { Float($0 / 4) * 10 })
  let gain = Tensor<Float>([3, 1, 4], (0..<12).map { [2, -0.5, -0.25][$0 / 4] })
  let frame = try Jungfrau.calibrate(raw, CalibrationConstants(pedestal: pedestal, gain: gain), path: "p")
  #expect(frame.signal.elements == [50, -182, -328, 0])
  #expect(frame.mask.elements == [1, 1, 1, 0])
  #expect(frame.unit == .keV)
  let wrong = CalibrationConstants(pedestal: Tensor(repeating: 0, [1, 1, 4]))
  #expect(throws: InputError.self) { try Jungfrau.calibrate(raw, wrong, path: "p") }
}

@Test func sourcesChooseTheCamera() {
  func name(_ source: String) -> String? {
    DetectorCatalog.detector(for: PayloadInfo(source: source, typeName: "Frame", version: 1, element: .record, shape: [16]))?.name
  }
  #expect(name("XrayTransportDiagnostic.0:Opal1000.0") == "xtcav")
  #expect(name("SxrBeamline.0:Opal1000.0") == "timetool")
  #expect(name("CXI_TSS_OPAL") == "timetool")
  #expect(name("AmoEndstation.0:Opal1000.0") == "opal1000")
  #expect(DetectorCatalog.detector(for: PayloadInfo(source: "", typeName: "AcqWaveform", version: 1, element: .record, shape: [4])) == nil)
  #expect(Set(DetectorCatalog.all.map { $0.name }).count == DetectorCatalog.all.count)
  for detector in DetectorCatalog.all { #expect(DetectorCatalog.detector(named: detector.name) == detector) }
}

@Test func everyDetectorFileIsInTheCatalogue() throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/Frames/Detectors").path
  let files = try FileManager.default.contentsOfDirectory(atPath: folder).map { $0.replacingOccurrences(of: ".swift", with: "") }
  let types = Set(DetectorCatalog.all.map { "\($0)" })
  #expect(types == Set(files).subtracting(["Catalog", "PayloadRecords"]))
}

@Test func lineCameraRowsStack() throws {
  let values = (0..<512).map { UInt8($0 % 251) }
  #expect(DetectorCatalog.detector(for: array([512], .uint8, values).info)?.name == "linecamera")
  let row = try LineCamera.decode(array([512], .uint8, values), path: "p")
  #expect(row.shape == [1, 1, 512] && row.elements[300] == 49)
  let picture = LineCamera.stacked([row, row.map { $0 * 10 }])
  #expect(picture.shape == [1, 2, 512] && picture.elements[300] == 49 && picture.elements[812] == 490)
}

@Test func gainMapBitsBecomeFactors() throws {
  // ASIC 5 of quad 2 (section 2, second half) in low gain at rows of 10 and more; everything else in high gain.
  let record = XTC1Record.cspadConfiguration(.cspad) { quad, row, _ in quad == 2 && row >= 10 ? 0xFFFF & ~(1 << 5) : 0xFFFF }
  #expect(record.bytes.count == 287_928)
  var configuration = Payload.Configuration(typeName: "CspadConfig", version: 5, bytes: record.bytes)
  let factors = try CSPAD.gainFactors(from: configuration, path: "p")
  let low = factors.elements.indices.filter { factors.elements[$0] != 1 }
  #expect(low.count == 175 * 194)
  for i in low { #expect(factors.elements[i] == 6.85 && i / (185 * 388) == 18 && i % 388 >= 194 && i / 388 % 185 >= 10) }
  let constants = try CalibrationConstants(gain: Tensor(repeating: 13.7, factors.shape)).applying(gainFactors: factors, path: "p")
  // signal = (raw - pedestal) · 6.85 / 13.7 in low gain.
  let gain = try #require(constants.gain)
  #expect(abs(gain.elements[low[0]] - 2) < 1e-6)
  configuration.bytes.removeLast(1)
  #expect(throws: InputError.self) { try CSPAD.gainFactors(from: configuration, path: "p") }
}
