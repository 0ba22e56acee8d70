import Corpora
import Foundation
import Frames
import Host
import Simulation
import Tensors
import TestSupport
import Testing

/// What `inspect` proposes is a recipe that `build` takes as it stands.
struct RecipeProposalTests {
  /// Writes the proposal beside nothing, as a user would, and builds it.
  private func build(_ text: String, _ scratch: Scratch) throws -> Corpus {
    let path = scratch("proposals/recipe.yaml")
    try AtomicFile.write(Data(text.utf8), to: path)
    return try CorpusBuilder.build(recipeAt: path, to: scratch("corpus"))
  }

  private func proposal(for path: String) throws -> String {
    try RecipeProposal(forFile: path, inspection: try Inspection(of: path)).text
  }

  private func write(_ bytes: [UInt8], _ name: String, _ scratch: Scratch) throws -> String {
    try AtomicFile.write(Data(bytes), to: scratch(name))
    return scratch(name)
  }

  static let pixels: [UInt16] = (0..<2400).map { (i: Int) -> UInt16 in
    let noise = i * 7919 % 301
    return UInt16(100 + noise)
  }

  /// A file of each container that test code can write by hand.
  private func bytes(_ name: String) -> [UInt8] {
    let stored: [UInt8] = UInt16.bytes(littleEndian: Self.pixels)
    switch name {
    case "a.png": return PNG.encode(grey: Self.pixels, rows: 40, columns: 60)
    case "a.jpg":
      let half: [UInt8] = Self.pixels.map { UInt8($0 / 2) }
      return JPEG.encode(grey: half, rows: 40, columns: 60)
    case "stack.npy": return NPYArray(element: .uint16, shape: [2, 20, 60], bytes: stored).file
    case "a.edf": return edf("") + stored
    case "a.img":
      let head = "{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\nSIZE1=60;\nSIZE2=40;\n}\n"
      let padding = String(repeating: " ", count: 512 - head.utf8.count)
      return Array(head.utf8) + Array(padding.utf8) + stored
    default:
      var reals: [Float] = Self.pixels.map { Float($0) }
      reals[0] = .nan
      return NPYArray(element: .float32, shape: [40, 60], bytes: Float.bytes(littleEndian: reals)).file
    }
  }

  /// The header of an EDF file of 40 x 60 unsigned shorts.
  private func edf(_ fields: String) -> [UInt8] {
    let head = "{\nByteOrder = LowByteFirst ;\nDataType = UnsignedShort ;\nDim_1 = 60 ;\nDim_2 = 40 ;\n" + fields
    let padding = String(repeating: " ", count: 510 - head.utf8.count)
    return Array(head.utf8) + Array(padding.utf8) + Array("}\n".utf8)
  }

  @Test(arguments: ["a.png", "a.jpg", "stack.npy", "nan and \"quotes\".npy", "a.edf", "a.img"])
  func aProposalForAPictureBuilds(name: String) throws {
    let scratch = Scratch(), path = try write(bytes(name), "raw/\(name)", scratch)
    let corpus = try build(try proposal(for: path), scratch)
    let count = name == "stack.npy" ? 2 : 1
    #expect(corpus.records.count == count)
    for record in corpus.records {
      #expect(record.split == .train)
      #expect(record.detector == "picture")
      #expect(record.labels == ["kind": "picture"])
    }
    // The typical pixel is of order 1.
    let values = try corpus.image(corpus.records[0]).pixels.elements
    #expect(values.allSatisfy { abs($0) < 20 })
    #expect(values.contains { abs($0) > 0.05 })
  }

  @Test(arguments: [SimulationPlan.Camera.cspad, .timetool, .xtcav]) func aProposalForASimulatedRunBuilds(detector: SimulationPlan.Camera) throws {
    let scratch = Scratch()
    var plan = SimulationPlan(detector: detector)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([1], 2, 1)
    try SimulatedRuns.write(plan, to: scratch("raw"))
    let file = try #require(FileManager.default.contentsOfDirectory(atPath: scratch("raw")).first { $0.hasSuffix(".xtc") })
    let text = try proposal(for: scratch("raw/\(file)"))
    let corpus = try build(text, scratch)
    #expect(corpus.records.count == (detector == .cspad ? 3 * 32 : 3))
    #expect(text.contains("detector: \(detector.rawValue)"))
  }

  @Test func hdf5FilesProposeTheirLayoutAndLabels() throws {
    let scratch = Scratch(), path = scratch("raw/amo86815_mlearn-r070-c0000.h5")
    try AtomicFile.makeFolder(scratch("raw"))
    let file = try HDF5File(creating: path)
    try file.write((0..<4 * 12 * 10).map { Int16($0 % 97 - 20) }, shape: [4, 12, 10], to: "/xtcavimg")
    try file.write([1, 1, 1, 1] as [Int8], shape: [4], to: "/lasing")
    try file.write([3, -1, 0, 2] as [Int8], shape: [4], to: "/acq.enPeaksLabel")
    try file.close()
    let text = try proposal(for: path)
    #expect(text.contains("# Layout: amo86815 ImgMLearn."))
    let corpus = try build(text, scratch)
    // The shot marked -1 is dropped.
    let peaks: [String] = corpus.records.compactMap { $0.labels["energyPeaks"] }
    #expect(peaks == ["3", "0", "2"])
    for record in corpus.records {
      #expect(record.labels["lasing"] == "on")
      #expect(record.event.experiment == "amo86815")
      #expect(record.event.run == 70)
      #expect(record.detector == "xtcav")
    }
  }

  @Test func arraysOfAnArchiveAreSourcesOfTheirOwn() throws {
    let scratch = Scratch()
    try AtomicFile.makeFolder(scratch("raw"))
    let array = NPYArray(element: .uint16, shape: [40, 60], bytes: UInt16.bytes(littleEndian: Self.pixels))
    try NPZ.write([("left", array), ("right", array)], to: scratch("raw/a.npz"))
    let corpus = try build(try proposal(for: scratch("raw/a.npz")), scratch)
    #expect(corpus.records.map(\.source).sorted() == ["left", "right"])
  }

  @Test func foldersOfPicturesAreLabelledByTheirNames() throws {
    let scratch = Scratch()
    for camera in ["yag", "dg3"] {
      for number in 0..<10 { _ = try write(PNG.encode(grey: Self.pixels, rows: 40, columns: 60), "raw/\(camera)/\(number).png", scratch) }
    }
    _ = try write(Array("notes".utf8), "raw/notes.txt", scratch)
    let text = try RecipeProposal(forFolder: scratch("raw")).text
    let corpus = try build(text, scratch)
    #expect(corpus.records.count == 20)
    for record in corpus.records { #expect(record.labels["folder"] == record.event.experiment) }
    #expect(Set(corpus.records.map(\.event.run)) == [0, 1])
    #expect(throws: InputError.self) { try RecipeProposal(forFolder: scratch("proposals")) }
  }

  @Test func metadataFieldsAreLabels() throws {
    let scratch = Scratch()
    let file = edf("Title = silver ;\nExposureTime = 2 ;\n") + UInt16.bytes(littleEndian: Self.pixels)
    for run in 1...3 { _ = try write(file, "raw/run\(run)/a.edf", scratch) }
    let corpus = try build(
      """
      name: fields
      image: {height: 9, width: 9}
      split: {allowEmpty: true}
      sources:
        - {name: a, files: ["\(scratch("raw"))/*/*.edf"], experiment: e, run: folder, labels: [{name: sample, field: Title}, {name: time, field: ExposureTime_s}]}
      """, scratch)
    #expect(corpus.records.count == 3)
    for record in corpus.records { #expect(record.labels == ["sample": "silver", "time": "2"]) }
  }
}
