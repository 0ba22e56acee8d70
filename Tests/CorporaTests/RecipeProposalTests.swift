import Corpora
import Foundation
import Frames
import Host
import Simulation
import Tensors
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

  static let pixels = (0..<40 * 60).map { UInt16(100 + $0 * 7919 % 301) }

  /// Bytes of a file for each container that test code can write by hand.
  static let files: [(name: String, bytes: @Sendable () -> [UInt8])] = [
    ("a.png", { PNG.encode(grey: pixels, rows: 40, columns: 60) }),
    ("a.jpg", { JPEG.encode(grey: pixels.map { UInt8($0 / 2) }, rows: 40, columns: 60) }),
    ("stack.npy", { NPYArray(element: .uint16, shape: [2, 20, 60], bytes: UInt16.bytes(littleEndian: pixels)).file }),
    ("nan and \"quotes\".npy", {
      NPYArray(element: .float32, shape: [40, 60], bytes: Float.bytes(littleEndian: [.nan] + pixels.dropFirst().map { Float($0) })).file
    }),
    ("a.edf", {
      let head = "{\nByteOrder = LowByteFirst ;\nDataType = UnsignedShort ;\nDim_1 = 60 ;\nDim_2 = 40 ;\n"
      return Array((head + String(repeating: " ", count: 510 - head.utf8.count) + "}\n").utf8) + UInt16.bytes(littleEndian: pixels)
    }),
    ("a.img", {
      let head = "{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\nSIZE1=60;\nSIZE2=40;\n}\n"
      return Array((head + String(repeating: " ", count: 512 - head.utf8.count)).utf8) + UInt16.bytes(littleEndian: pixels)
    }),
  ]

  @Test(arguments: files.indices) func aProposalForAPictureBuilds(number: Int) throws {
    let scratch = Scratch(), (name, bytes) = Self.files[number]
    let corpus = try build(try proposal(for: try write(bytes(), "raw/\(name)", scratch)), scratch)
    #expect(corpus.records.count == (name == "stack.npy" ? 2 : 1))
    #expect(corpus.records.allSatisfy { $0.split == .train && $0.detector == "picture" && $0.labels["kind"] == "picture" })
    // The typical pixel is of order 1.
    let values = try corpus.image(corpus.records[0]).pixels.elements
    #expect(values.allSatisfy { abs($0) < 20 } && values.contains { abs($0) > 0.05 })
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
    #expect(corpus.records.map { $0.labels["energyPeaks"] } == ["3", "0", "2"])
    #expect(corpus.records.allSatisfy { $0.labels["lasing"] == "on" && $0.event.experiment == "amo86815" && $0.event.run == 70 && $0.detector == "xtcav" })
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
    #expect(corpus.records.allSatisfy { $0.labels["folder"] == $0.event.experiment })
    #expect(Set(corpus.records.map(\.event.run)) == [0, 1])
    #expect(throws: InputError.self) { try RecipeProposal(forFolder: scratch("proposals")) }
  }

  @Test func metadataFieldsAreLabels() throws {
    let scratch = Scratch()
    let head = "{\nByteOrder = LowByteFirst ;\nDataType = UnsignedShort ;\nDim_1 = 60 ;\nDim_2 = 40 ;\nTitle = silver ;\nExposureTime = 2 ;\n"
    for run in 1...3 {
      _ = try write(
        Array((head + String(repeating: " ", count: 510 - head.utf8.count) + "}\n").utf8) + UInt16.bytes(littleEndian: Self.pixels),
        "raw/run\(run)/a.edf", scratch)
    }
    let corpus = try build(
      """
      name: fields
      image: {height: 9, width: 9}
      split: {allowEmpty: true}
      sources:
        - {name: a, files: ["\(scratch("raw"))/*/*.edf"], experiment: e, run: folder, labels: [{name: sample, field: Title}, {name: time, field: ExposureTime_s}]}
      """, scratch)
    #expect(corpus.records.count == 3 && corpus.records.allSatisfy { $0.labels == ["sample": "silver", "time": "2"] })
  }
}
