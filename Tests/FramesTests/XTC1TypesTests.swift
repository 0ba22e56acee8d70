import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Record types of LCLS-I of which no real file is at hand: written field by field by `DAQRecords`, read through a whole file.
@Suite struct XTC1TypesTests {
  private static let cspad: UInt32 = 0x2000_0A00, opal: UInt32 = 0x1600_0302, epicsArchive: UInt32 = 0x0900_0000

  /// What the CSPAD tests store.
  private static func count(_ quad: Int, _ section: Int, _ place: Int) -> Int16 {
    let pattern = 1000 * quad + 100 * section + place % 97
    return Int16(pattern - 1500)
  }

  private static func counts(_ count: Int, _ step: UInt16) -> [UInt16] { (0..<count).map { UInt16(truncatingIfNeeded: $0) &* step } }

  /// Whether raw counts are the stored ones.
  private static func areEqual(_ raw: Tensor<Float>, _ pixels: [UInt16]) -> Bool {
    raw.elements.count == pixels.count && pixels.indices.allSatisfy { raw.elements[$0] == Float(pixels[$0]) }
  }

  private func read(_ configure: [[UInt8]], _ events: [[[UInt8]]]) throws -> (events: [Event], reader: XTC1Reader) {
    let scratch = Scratch()
    var file = SampleFiles.datagram1(4, seconds: 10, configure)
    for (place, leaves) in events.enumerated() { file += SampleFiles.datagram1(12, seconds: 20 + UInt32(place), fiducial: 3, leaves) }
    let reader = try XTC1Reader(opening: try scratch.write(file, "exp1-r0007-s00-c00.xtc"))
    return (try FramesTests.events(reader), reader)
  }

  private func leaf(_ name: String, _ version: UInt16, phy: UInt32, _ bytes: [UInt8]) -> [UInt8] {
    SampleFiles.xtc1(type: XTC1Format.TypeID(name, version: version).word, phy: phy, bytes)
  }

  @Test(arguments: [1, 2, 3, 4, 5], [1, 2])
  func cspadElementsFollowEachConfiguration(version: Int, element: Int) throws {
    // v1 of the element stores 2 or 8 sections by the ASIC mask, v2 those of the region mask, which v1 of the configuration lacks.
    let asicMask: UInt32 = element == 1 && version == 2 ? 1 : 0xFFFF
    let quadMask: UInt32 = 0b1011, roiMask: UInt32 = 0x81_00_FF_24
    func sections(_ quad: UInt32) -> [Int] {
      if element == 1 { return Array(0..<(asicMask == 1 ? 2 : 8)) }
      return version == 1 ? Array(0..<8) : (0..<8).filter { roiMask >> (8 * quad + UInt32($0)) & 1 == 1 }
    }
    var record: [UInt8] = []
    for quad in [3, 0, 1] as [UInt32] {
      record += DAQRecords.cspadQuadHeader(quad)
      for section in sections(quad) {
        record += DAQRecords.halves((0..<185 * 388).map { UInt16(bitPattern: Self.count(Int(quad), section, $0)) })
      }
      record += [0, 0, 0, 0]
    }
    let config = DAQRecords.cspadConfig(version: version, asicMask: asicMask, quadMask: quadMask, roiMask: roiMask)
    #expect(config.count == [287_804, 287_808, 287_844, 287_892, 287_928][version - 1])
    let (events, _) = try read(
      [leaf("CspadConfig", UInt16(version), phy: Self.cspad, config)], [[leaf("CspadElement", UInt16(element), phy: Self.cspad, record)]])
    let payload = try #require(events.first?.payloads.first)
    #expect(payload.configuration?.version == version)
    #expect(DetectorCatalog.detector(for: payload.info)?.name == "cspad")
    let raw = try CSPAD.decode(payload, path: "p")
    #expect(raw.shape == [32, 185, 388])
    for quad in 0..<4 {
      for section in 0..<8 {
        let isStored = quadMask >> UInt32(quad) & 1 == 1 && sections(UInt32(quad)).contains(section)
        let pixels = raw.elements[(8 * quad + section) * 185 * 388..<(8 * quad + section + 1) * 185 * 388]
        let isRight = pixels.enumerated().allSatisfy { (place: Int, value: Float) -> Bool in
          isStored ? value == Float(Self.count(quad, section, place)) : value.isNaN
        }
        #expect(isRight, "quad \(quad), section \(section)")
      }
    }
    // Panel by panel, the same sensors are found at the same bytes.
    let counts = try #require(try CSPAD.panelCounts(of: payload, path: "p"))
    let calibration = try #require(try CSPAD.panelCalibration(CalibrationConstants(), panels: 32, path: "p"))
    let frame = try CSPAD.calibrate(raw, CalibrationConstants(), path: "p"), size = 185 * 388
    var seen: Set<Int> = []
    _ = calibration.forEachPanel(of: [CountedFrame(counts, in: payload.bytes)]) { panel, _, signal in
      let wrong = (0..<size).count { signal[$0] != frame.signal.elements[panel * size + $0] }
      #expect(wrong == 0, "panel \(panel)")
      seen.insert(panel)
    }
    #expect(seen == Set((0..<32).filter { !raw.elements[$0 * size].isNaN }))
  }

  @Test(arguments: [1, 2]) func cspad2x2CarriesItsConfiguration(version: UInt16) throws {
    let config = DAQRecords.zeros(version == 1 ? 71996 : 72008)
    let pixels = DAQRecords.halves((0..<185 * 388).flatMap { [UInt16(1000 + $0 % 50), 2000] as [UInt16] })
    let (events, _) = try read(
      [leaf("Cspad2x2Config", version, phy: 0x1400_0D00, config)],
      [[leaf("Cspad2x2Element", 1, phy: 0x1400_0D00, DAQRecords.cspadQuadHeader(0) + pixels)]])
    let payload = try #require(events.first?.payloads.first)
    #expect(payload.info.source == "XppGon.0:Cspad2x2.0" && payload.configuration?.version == Int(version))
    let raw = try CSPAD.decode(payload, path: "p")
    #expect(raw.shape == [2, 185, 388])
    let isRight = (0..<185 * 388).allSatisfy { (place: Int) -> Bool in
      raw.elements[place] == Float(1000 + place % 50) && raw.elements[185 * 388 + place] == 2000
    }
    #expect(isRight)
  }

  @Test(arguments: [(1, 1), (2, 2), (3, 2), (4, 2), (4, 1)]) func jungfrauModulesFollowTheirConfiguration(config: Int, element: Int) throws {
    let modules = 2, pixels = Self.counts(modules * 512 * 1024, 7)
    let phy: UInt32 = 0x3000_2B00
    let (events, _) = try read(
      [leaf("JungfrauConfig", UInt16(config), phy: phy, DAQRecords.jungfrauConfig(version: config, modules: UInt32(modules)))],
      [[leaf("JungfrauElement", UInt16(element), phy: phy, DAQRecords.jungfrauElement(version: element, modules: modules, pixels: pixels))]])
    let payload = try #require(events.first?.payloads.first)
    #expect(payload.info.source == "MfxEndstation.0:Jungfrau.0")
    let detector = try #require(DetectorCatalog.detector(for: payload.info))
    #expect(detector.name == "jungfrau")
    let raw = try detector.decode(payload, path: "p")
    #expect(raw.shape == [2, 512, 1024])
    #expect(Self.areEqual(raw, pixels))
  }

  struct Epix: Sendable {
    var config: String, version: UInt16, before: Int, sizes: [UInt32], element: UInt16, device: UInt32, detector: String, shape: Shape
  }
  /// `before` counts the u32 fields up to the sizes in epix.ddl. Last excluded rows first, then ASICs a row and a column, rows
  /// (for the later cameras all and readable) and pixels a row of an ASIC.
  static let epix: [Epix] = [
    Epix(config: "EpixConfig", version: 1, before: 21, sizes: [2, 2, 2, 353, 384], element: 1, device: 0x1D, detector: "epix10k", shape: [1, 704, 768]),
    Epix(config: "Epix10kConfig", version: 1, before: 23, sizes: [2, 2, 2, 177, 192], element: 1, device: 0x22, detector: "epix10k", shape: [1, 352, 384]),
    Epix(config: "Epix100aConfig", version: 1, before: 23, sizes: [2, 2, 353, 352, 384, 2, 1], element: 2, device: 0x23, detector: "epix100a", shape: [1, 704, 768]),
    Epix(config: "Epix100aConfig", version: 2, before: 32, sizes: [2, 2, 353, 352, 384, 2, 1], element: 3, device: 0x23, detector: "epix100a", shape: [1, 704, 768]),
    Epix(config: "EpixSConfig", version: 1, before: 25, sizes: [2, 2, 6, 5, 10, 2, 1], element: 2, device: 0x24, detector: "epix10k", shape: [1, 10, 20]),
    Epix(config: "Epix10kaConfig", version: 1, before: 32, sizes: [2, 2, 178, 176, 192, 2, 1], element: 3, device: 0x2D, detector: "epix10k", shape: [1, 352, 384]),
    Epix(config: "Epix10kaConfig", version: 2, before: 32, sizes: [2, 2, 178, 176, 192, 2, 1], element: 3, device: 0x2D, detector: "epix10k", shape: [1, 352, 384]),
  ]

  @Test(arguments: XTC1TypesTests.epix) func epixRowsFollowTheirConfiguration(camera: Epix) throws {
    let phy = 0x1900_0000 | camera.device << 8
    let pixels = Self.counts(camera.shape.count, 13)
    let (events, _) = try read(
      [leaf(camera.config, camera.version, phy: phy, DAQRecords.epixConfig(before: camera.before, sizes: camera.sizes))],
      [[leaf("EpixElement", camera.element, phy: phy, DAQRecords.epixElement(pixels: pixels, columns: camera.shape[2]))]])
    let payload = try #require(events.first?.payloads.first)
    let detector = try #require(DetectorCatalog.detector(for: payload.info))
    #expect(detector.name == camera.detector)
    let raw = try detector.decode(payload, path: "p")
    #expect(raw.shape == camera.shape)
    #expect(Self.areEqual(raw, pixels))
  }

  @Test(arguments: [("Epix10ka2MConfig", 16, 0x30 as UInt32), ("Epix10kaQuadConfig", 4, 0x32)], [1 as UInt16, 2])
  func epix10kaArraysAreStackedPanels(camera: (String, Int, UInt32), version: UInt16) throws {
    let (config, panels, device) = camera
    let phy: UInt32 = 0x3000_0000 | device << 8
    let pixels = Self.counts(panels * 352 * 384, 11)
    let record = DAQRecords.words(77) + DAQRecords.halves(pixels) + DAQRecords.zeros(panels * 9000)
    let settings = DAQRecords.epix10kaConfig(version: Int(version), panels: panels) { (panel: Int, _: Int, _: Int) -> UInt16 in
      panel == panels - 1 ? 12 : 0
    } trbit: { (_: Int, _: Int) -> UInt32 in 0 }
    let (events, _) = try read([leaf(config, version, phy: phy, settings)], [[leaf("Epix10kaArray", 1, phy: phy, record)]])
    let payload = try #require(events.first?.payloads.first)
    let raw = try Epix10k.decode(payload, path: "p")
    #expect(raw.shape == [panels, 352, 384])
    // The words of the pixels, under their settings.
    #expect(Self.areEqual(raw.map { Float(UInt32($0) & 0xFFFF) }, pixels))
    let counts = try Epix10k.calibrate(raw, CalibrationConstants(), path: "p")
    #expect(Self.areEqual(counts.signal, pixels.map { $0 & 0x3FFF }))
    // The last panel is fixed to medium gain, block 1; the others switch from medium, blocks 4 and 6.
    var gains: [Float] = []
    for block in 0..<7 { gains += [Float](repeating: 1 / Float(1 << block), count: panels * 352 * 384) }
    let gain = Tensor<Float>([7 * panels, 352, 384], gains)
    let keV = try Epix10k.calibrate(raw, CalibrationConstants(gain: gain), path: "p")
    let isRight = pixels.indices.allSatisfy { (i: Int) -> Bool in
      let count = Float(pixels[i] & 0x3FFF), isFixed = i / (352 * 384) == panels - 1, hasSwitched = pixels[i] & 0x4000 != 0
      let factor: Float = isFixed ? 2 : hasSwitched ? 64 : 16
      return keV.signal.elements[i] == count * factor
    }
    #expect(keV.unit == .keV)
    #expect(isRight)
    // A configuration that ends early, and none.
    let short = Payload.Configuration(typeName: config, version: Int(version), bytes: Array(settings.dropLast(2 * 384 + 1)))
    #expect(throws: InputError.self) { try Epix10k.decode(Payload(info: payload.info, bytes: payload.bytes, configuration: short), path: "p") }
    #expect(throws: InputError.self) { try Epix10k.calibrate(Tensor(raw.shape, pixels.map { Float($0) }), CalibrationConstants(gain: gain), path: "p") }
  }

  /// A single panel with a setting for each kind of pixel: seven blocks, each ASIC with a trbit of its own.
  @Test(arguments: [1, 2]) func epix10kaGainFollowsFromSettingTrbitAndSwitch(version: UInt16) throws {
    // ASICs 0 to 3 are lower right, upper right, upper left, lower left; trbits 1, 0, 1, 0.
    let config = DAQRecords.epix10kaConfig(version: Int(version), panels: 1) { (_: Int, row: Int, column: Int) -> UInt16 in
      let setting = (row + column) % 4 * 4, others = row % 2 * 3
      return UInt16(setting + others)
    } trbit: { (_: Int, asic: Int) -> UInt32 in asic % 2 == 0 ? 1 : 0 }
    // Bit 14 in every eighth column, over any count.
    var pixels: [UInt16] = []
    for i in 0..<352 * 384 {
      let count = UInt16(i * 7 % 16384), hasSwitched = i % 8 == 0
      pixels.append(hasSwitched ? count | 0x4000 : count)
    }
    let phy: UInt32 = 0x1900_2D00
    let (events, _) = try read(
      [leaf("Epix10kaConfig", version, phy: phy, config)],
      [[leaf("EpixElement", 3, phy: phy, DAQRecords.epixElement(pixels: pixels, columns: 384))]])
    let payload = try #require(events.first?.payloads.first)
    var pedestals: [Float] = [], gains: [Float] = []
    for block in 0..<7 {
      pedestals += [Float](repeating: Float(100 * block), count: 352 * 384)
      gains += [Float](repeating: Float(1 + block), count: 352 * 384)
    }
    let shape: Shape = [7, 352, 384]
    let constants = CalibrationConstants(pedestal: Tensor<Float>(shape, pedestals), gain: Tensor<Float>(shape, gains))
    let frame = try Epix10k.calibrate(try Epix10k.decode(payload, path: "p"), constants, path: "p")
    var seen: Set<Int> = [], wrong = 0
    for i in pixels.indices {
      let row = i / 384, column = i % 384, isHigh = row < 176 ? column < 192 : column >= 192, hasSwitched = column % 8 == 0
      let block: Int? =
        switch (row + column) % 4 {
        case 0: isHigh ? (hasSwitched ? 5 : 3) : (hasSwitched ? 6 : 4)
        case 1: nil
        case 2: 2
        default: isHigh ? 0 : 1
        }
      if let block { seen.insert(block) }
      var expected: Float = 0
      if let block {
        let count = Float(pixels[i] & 0x3FFF)
        expected = (count - Float(100 * block)) / Float(1 + block)
      }
      let isGood = frame.mask.elements[i] == 1
      if isGood != (block != nil) || frame.signal.elements[i] != expected { wrong += 1 }
    }
    #expect(wrong == 0)
    #expect(seen == Set(0..<7))
    #expect(frame.unit == .keV)
  }

  @Test func framesOfSharedPimAreFrames() throws {
    let pim = DAQRecords.words(1, 2, 3) + DAQRecords.words(Float(0.5).bitPattern, Float(0.25).bitPattern)
    let (events, reader) = try read([], [[leaf("SharedPim", 1, phy: 0x1300_0000, pim + SampleFiles.frame(7))]])
    let payload = try #require(events.first?.payloads.first)
    #expect(payload.bytes == SampleFiles.frame(7) && payload.info.typeName == "Frame" && reader.skipped.isEmpty)
    let short = try read([], [[leaf("SharedPim", 1, phy: 0x1300_0000, DAQRecords.words(1, 2, 3))]]).0
    #expect(short.map(\.payloads.count) == [0] && short[0].damage.count == 1)
  }

  @Test(arguments: [1, 2]) func pnCCDLinksFollowEachOther(version: UInt16) throws {
    var config = DAQRecords.words(4, 16 + 2 * 512 * 512)
    if version == 2 { config += DAQRecords.words(1024, 1024, 512, 512, 4) }
    let frame = DAQRecords.pnCCDFrame(links: 4) { (link: Int, place: Int) -> UInt16 in UInt16(10_000 * link + place % 7919) }
    let (events, _) = try read(
      [leaf("pnCCDconfig", version, phy: 0x0800_0500, config)], [[leaf("pnCCDframe", 1, phy: 0x0800_0500, frame)]])
    let payload = try #require(events.first?.payloads.first)
    #expect(payload.info.source == "Camp.0:pnCCD.0")
    let detector = try #require(DetectorCatalog.detector(for: payload.info))
    let raw = try detector.decode(payload, path: "p")
    #expect(detector.name == "pnccd" && raw.shape == [4, 512, 512])
    let isRight = raw.elements.indices.allSatisfy { (place: Int) -> Bool in
      raw.elements[place] == Float(10_000 * (place / 262_144) + place % 262_144 % 7919)
    }
    #expect(isRight)
  }

  @Test func recordsThatAreTooShortOrMisconfiguredAreRefused() throws {
    func refuses(_ type: String, _ version: Int, _ config: String, _ configVersion: Int, _ configBytes: [UInt8], _ bytes: [UInt8]) throws {
      let info = PayloadInfo(source: "X.0:Y.0", typeName: type, version: version, element: .record, shape: [bytes.count])
      let detector = try #require(DetectorCatalog.detector(for: info))
      #expect(throws: InputError.self) { try detector.decode(Payload(info: info, bytes: bytes), path: "p") }
      let configuration = Payload.Configuration(typeName: config, version: configVersion, bytes: configBytes)
      #expect(throws: InputError.self) {
        try detector.decode(Payload(info: info, bytes: bytes, configuration: configuration), path: "p")
      }
    }
    let jungfrau = DAQRecords.jungfrauConfig(version: 1, modules: 1)
    try refuses("JungfrauElement", 1, "JungfrauConfig", 1, jungfrau, DAQRecords.zeros(12 + 2 * 512 * 1024 - 2))
    try refuses("JungfrauElement", 1, "JungfrauConfig", 1, DAQRecords.words(.max, .max, .max), DAQRecords.zeros(64))
    let epix = DAQRecords.epixConfig(before: 21, sizes: [2, 2, 2, 353, 384])
    try refuses("EpixElement", 1, "EpixConfig", 1, epix, DAQRecords.zeros(32 + 2 * 704 * 768 - 2))
    try refuses("EpixElement", 1, "EpixConfig", 1, DAQRecords.epixConfig(before: 21, sizes: [800, 1, 1, 353, 384]), DAQRecords.zeros(64))
    try refuses("EpixElement", 1, "EpixConfig", 1, DAQRecords.epixConfig(before: 21, sizes: [0, .max, .max, .max, .max]), DAQRecords.zeros(64))
    try refuses("pnCCDframe", 1, "pnCCDconfig", 1, DAQRecords.words(4, 1000), DAQRecords.zeros(4000))
    try refuses("pnCCDframe", 1, "pnCCDconfig", 1, DAQRecords.words(1, 16 + 2 * 512 * 512), DAQRecords.zeros(16 + 2 * 512 * 512 - 1))
  }

  @Test func epicsChannelsBecomeScalarsWithUnitsAndStay() throws {
    func epics(_ bytes: [UInt8]) -> [UInt8] { leaf("Epics", 1, phy: Self.epicsArchive, bytes) }
    let (events, reader) = try read(
      [
        epics(DAQRecords.epicsControl(0, "GATT:P", .double(1.5), unit: "Torr")), epics(DAQRecords.epicsControl(1, "MOTOR", .float(2.25), unit: "mm")),
        epics(DAQRecords.epicsControl(2, "SHUTTER", .enumeration(1))), epics(DAQRecords.epicsControl(3, "COUNT", .long(-70_000))),
        epics(DAQRecords.epicsControl(4, "GAIN", .short(-3), unit: "dB")), epics(DAQRecords.epicsControl(5, "BYTE", .char(200), unit: "%")),
        epics(DAQRecords.epicsControl(6, "NOTE", .string("water"))),
      ],
      [
        [],
        [
          epics(DAQRecords.epicsTime(0, .double(2.5))), epics(DAQRecords.epicsTime(1, .float(-0.5))),
          epics(DAQRecords.epicsTime(2, .enumeration(0))), epics(DAQRecords.epicsTime(3, .long(5))), epics(DAQRecords.epicsTime(4, .short(9))),
          epics(DAQRecords.epicsTime(5, .char(7))), epics(DAQRecords.epicsTime(6, .string("ice"))),
          epics(DAQRecords.epicsTime(9, .double(1))), epics(DAQRecords.epicsTime(0, .double(3), count: 4)),
        ],
        [epics(DAQRecords.epicsTime(3, .long(0), severity: 3))],
      ])
    let first: [String: Double] = [
      "epics.GATT:P_Torr": 1.5, "epics.MOTOR_mm": 2.25, "epics.SHUTTER": 1, "epics.COUNT": -70_000, "epics.GAIN_dB": -3, "epics.BYTE_%": 200,
    ]
    let second: [String: Double] = [
      "epics.GATT:P_Torr": 2.5, "epics.MOTOR_mm": -0.5, "epics.SHUTTER": 0, "epics.COUNT": 5, "epics.GAIN_dB": 9, "epics.BYTE_%": 7,
    ]
    try #require(events.count == 3)
    #expect(events[0].scalars == first)
    #expect(events[1].scalars == second)
    #expect(events.map(\.texts) == [["epics.NOTE": "water"], ["epics.NOTE": "ice"], ["epics.NOTE": "ice"]])
    #expect(events[2].scalars == second.filter { $0.key != "epics.COUNT" })
    #expect(
      reader.skipped == [
        "Epics array": 1, "Epics value of a channel that Configure does not name": 1,
        "Epics value that its channel marks as invalid": 1,
      ])
  }

  @Test func aliasesNameDetectors() throws {
    let (events, _) = try read(
      [leaf("AliasConfig", 1, phy: 0, DAQRecords.aliases([(Self.opal, "TSS_OPAL"), (SampleFiles.opal, "yag")]))],
      [[leaf("Frame", 1, phy: Self.opal, SampleFiles.frame(1)), leaf("Frame", 1, phy: SampleFiles.opal, SampleFiles.frame(2))]])
    let payloads = try #require(events.first?.payloads)
    #expect(payloads.map(\.info.alias) == ["TSS_OPAL", "yag"])
    #expect(payloads.map(\.info.source) == ["XppEndstation.0:Opal1000.2", "XppEndstation.0:Opal1000.1"])
    #expect(payloads[1].info.isNamed("yag") && payloads[1].info.isNamed("Opal1000") && !payloads[1].info.isNamed("TSS"))
    var other = payloads[1].info
    other.alias = "CXI_TSS_OPAL"
    #expect(DetectorCatalog.detector(for: other)?.name == "timetool")
  }

  struct Tool: Sendable {
    var tool: DAQRecords.TimeTool, sizes: [Int], names: [String]
    init(_ tool: DAQRecords.TimeTool, _ sizes: [Int], _ names: [String]) { (self.tool, self.sizes, self.names) = (tool, sizes, names) }
  }
  static let tools: [Tool] = [
    Tool(DAQRecords.TimeTool(version: 1), [5, 4], ["signal", "sideband"]),
    Tool(DAQRecords.TimeTool(version: 1, alongY: true, sideband: false), [3], ["signal"]),
    Tool(DAQRecords.TimeTool(version: 1, writes: false), [], []),
    Tool(DAQRecords.TimeTool(version: 2), [5, 4, 3], ["signal", "sideband", "reference"]),
    Tool(DAQRecords.TimeTool(version: 2, alongY: true, reference: false), [3, 2], ["signal", "sideband"]),
    Tool(DAQRecords.TimeTool(version: 3, alongY: true), [3, 2, 6], ["signal", "sideband", "reference"]),
    Tool(DAQRecords.TimeTool(version: 3, sideband: false, reference: false, fit: true), [5, 3], ["signal", "reference"]),
    Tool(DAQRecords.TimeTool(version: 3, full: true), [15, 8, 18], ["signal", "sideband", "reference"]),
  ]

  @Test(arguments: XTC1TypesTests.tools)
  func timeToolResultsAndProjectionsAreRead(expectation: Tool) throws {
    let (tool, sizes, names) = (expectation.tool, expectation.sizes, expectation.names)
    let arrays = sizes.enumerated().map { (place: Int, size: Int) -> [Int32] in (0..<size).map { Int32(1000 * place + $0) - 500 } }
    let (events, _) = try read(
      [
        leaf("Opal1kConfig", 1, phy: Self.opal, [0, 0, 0, 0, 0, 0, 0, 0]),
        leaf("TimeToolConfig", UInt16(tool.version), phy: Self.opal, tool.config),
      ], [[leaf("TimeToolData", UInt16(tool.version), phy: Self.opal, tool.data(arrays)), leaf("Frame", 1, phy: Self.opal, SampleFiles.frame(9))]])
    let event = try #require(events.first)
    let source = "XppEndstation.0:Opal1000.2"
    var keys: [String] = tool.fit ? ["fitA", "fitB", "fitC", "fitD"] : ["amplitude", "position_px", "position_ps", "fwhm_px"]
    keys += ["referenceAmplitude", "nextAmplitude"]
    let values: [Double] = [0.5, 512.25, 1.75, 40, 0.125, 0.0625]
    var expected: [String: Double] = ["\(source)/timeTool.eventType": 2]
    for (key, value) in zip(keys, values) { expected["\(source)/timeTool.\(key)"] = value }
    #expect(event.scalars == expected)
    var sources: [String] = names.map { "\(source)/timeTool.\($0)" }
    sources.append(source)
    #expect(event.payloads.map(\.info.source) == sources)
    #expect(event.payloads.last?.configuration?.typeName == "Opal1kConfig")
    for (payload, array) in zip(event.payloads, arrays) {
      #expect(payload.info.element == .int32 && Int32.array(littleEndian: payload.bytes) == array)
      #expect(payload.info.shape.rank == (tool.full ? 2 : 1))
    }
  }

  @Test(arguments: zip(0...7, [52, 60, 68, 84, 116, 140, 164, 164])) func eachEBeamHasItsFields(version: Int, size: Int) throws {
    let count = (size - 4) / 8
    let values = (0..<count).map { Double($0) + 0.5 }
    let record = DAQRecords.words(0) + SampleFiles.le(values)
    #expect(record.count == size)
    let (events, _) = try read([], [[SampleFiles.xtc1(type: UInt32(version) << 16 | 15, log: 0x0600_0000, phy: 0, record)]])
    let scalars = try #require(events.first?.scalars)
    #expect(scalars.count == count)
    let known: [(String, Int)] = [
      ("charge_nC", 0), ("L3Energy_MeV", 1), ("PkCurrBC2_A", 6), ("EnergyBC2_mm", 7), ("PkCurrBC1_A", 8), ("UndPosX_mm", 10),
      ("XTCAVAmpl_MV", 14), ("XTCAVPhase_deg", 15), ("DumpCharge_electrons", 16), ("PhotonEnergy_eV", 17), ("LTU450_mm", 19),
    ]
    for (name, place) in known {
      let value: Double? = place < count ? Double(place) + 0.5 : nil
      #expect(scalars["ebeam.\(name)"] == value)
    }
  }

  @Test(arguments: [0, 1]) func gasDetectorsAndPhaseCavitiesAreNamed(version: UInt32) throws {
    let all: [Double] = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    let energies = Array(all.prefix(version == 0 ? 4 : 6))
    let gas = SampleFiles.xtc1(type: version << 16 | 14, log: 0x0600_0000, phy: 2, SampleFiles.le(energies))
    let cavity = SampleFiles.xtc1(type: 16, log: 0x0600_0000, phy: 1, SampleFiles.le([0.1, 0.2, 300, 400]))
    let (events, _) = try read(
      [],
      [[gas, cavity]])
    let scalars = try #require(events.first?.scalars)
    let last: Double? = version == 0 ? nil : 6.5
    #expect(scalars["gasDetector.f_22_ENRC_mJ"] == 4.5)
    #expect(scalars["gasDetector.f_64_ENRC_mJ"] == last)
    #expect(scalars["phaseCavity.fitTime2_ps"] == 0.2)
    #expect(scalars["phaseCavity.charge1_pC"] == 300)
  }

  @Test(arguments: [3, 4]) func eventCodesAreListed(version: UInt16) throws {
    let record = DAQRecords.words(3, 1, 2, 140, 1, 2, 162, 1, 3, 40)
    let (events, _) = try read([], [[leaf("EvrData", version, phy: 0x0000_0100, record)]])
    #expect(events.first?.eventCodes == [140, 162, 40])
  }

  @Test func damageIsToldWithDetectorBitsAndPlace() throws {
    let record = SampleFiles.frame(1)
    let type = XTC1Format.TypeID("Frame", version: 1).word
    var tooLong = leaf("Frame", 1, phy: Self.opal, record)
    tooLong[16] += 9
    let (events, reader) = try read(
      [leaf("AliasConfig", 1, phy: 0, DAQRecords.aliases([(Self.opal, "yag")]))],
      [
        [SampleFiles.xtc1(type: type, phy: Self.opal, damage: 0x10_2000, record), leaf("Frame", 1, phy: SampleFiles.opal, record)],
        [SampleFiles.xtc1(type: 0, phy: Self.opal, damage: 1 << 1, [])],
        // A leaf that says it is longer than its container: the event is lost, the file is not.
        [tooLong],
        [leaf("Frame", 1, phy: Self.opal, record)],
      ])
    #expect(events.map(\.payloads.count) == [1, 0, 0, 1])
    let damage = events.map(\.damage)
    try #require(damage.map(\.count) == [1, 1, 1, 0])
    let (first, second, third) = (damage[0][0], damage[1][0], damage[2][0])
    #expect(first.source == "XppEndstation.0:Opal1000.2")
    #expect(first.alias == "yag")
    #expect(first.typeName == "Frame v1")
    #expect(first.bits == 0x10_2000)
    #expect(first.reason == "OutOfSynch, bit 20")
    // Behind Configure (60 bytes of headers, 20 + 44 of AliasConfig with one name) and this datagram's own headers of 60.
    #expect(first.offset == 184)
    #expect(second.reason == "DroppedContribution")
    #expect(second.source == "XppEndstation.0:Opal1000.2")
    #expect(third.source.isEmpty)
    #expect(third.summary == "unreadable event")
    #expect(third.reason.contains("expected an extent"))
    let node = try read([], [[SampleFiles.xtc1(type: 1, log: 0x0200_0002, damage: 1 << 15, [9, 9, 9])]]).events
    let summaries: [String] = node.first?.damage.map(\.summary) ?? []
    #expect(summaries == ["damaged Xtc v0: IncompleteContribution"])
    #expect(reader.skipped == ["damaged Frame v1": 1, "missing source": 1, "unreadable event": 1])
  }
}
