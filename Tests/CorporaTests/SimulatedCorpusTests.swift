import Corpora
import Foundation
import Frames
import Host
import Simulation
import Tensors
import TestSupport
import Testing

/// The whole way: simulated XTC1 runs with constants and truth -> corpora.
struct SimulatedCorpusTests {
  private func recipe(_ detector: String, image: String, source: String) throws -> CorpusRecipe {
    try CorpusRecipe(
      yaml: """
        name: \(detector)
        image: \(image)
        split: {train: 0.34, validation: 0.33, test: 0.33, runs: {train: ['sim:1'], validation: ['sim:2'], test: ['sim:3']}}
        sources:
          - name: \(detector)
            files: ["*.xtc"]
            detector: \(detector)
            experiment: sim
        \(source.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
        """)
  }

  @Test func cspadRunsAreCalibratedAssembledAndLabelled() throws {
    let scratch = Scratch()
    var plan = SimulationPlan(detector: .cspad)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([1, 2, 3], 3, 1)
    try SimulatedRuns.write(plan, to: scratch.path)
    let recipe = try recipe(
      "cspad", image: "{height: 129, width: 129}",
      source: """
        calibration: calib
        geometry: calibration
        view: assembled
        labels:
          - {name: hit, table: {file: truth.csv, column: hit}, values: {0: miss, 1: hit}}
          - {name: light, eventCodes: {codes: [{code: 162, name: dark}], otherwise: light}}
          - {name: photons, table: {file: truth.csv, column: photons, bins: [{name: none, below: 1}, {name: some}]}}
          - {name: angle, table: {file: truth.csv, column: streak_angle_deg, bins: [{name: any}]}, missing: omit}
        """)
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.count == 12)
    #expect(corpus.labels == ["angle", "hit", "light", "photons"])
    let truth = try CSVTable(String(decoding: AtomicFile.read(scratch("truth.csv")), as: UTF8.self), path: "truth")
    let beam = try #require(truth.header.firstIndex(of: "beam_on")), fiducial = try #require(truth.header.firstIndex(of: "fiducial"))
    let angle = try #require(truth.header.firstIndex(of: "streak_angle_deg"))
    #expect(Set(truth.rows.map { $0[angle] == "nan" }).count == 2)
    let pixels = try Dictionary(uniqueKeysWithValues: [1, 2, 3].map { run in
      let folder = CalibrationFolder(scratch("calib"))
      return (run, try #require(try folder.geometry(for: XTC1Source.cspad.name, run: run)).pixelPositions())
    })
    for record in corpus.records {
      #expect(record.unit == "photons")
      #expect(record.calibration.count == 64)
      let row = try #require(truth.rows.first { $0[0] == "\(record.event.run)" && $0[fiducial] == "\(record.event.fiducial)" })
      // "nan" where there is no streak: no value, so no label, rather than the last bin.
      #expect((record.labels["angle"] == nil) == (row[angle] == "nan"))
      #expect(record.labels["light"] == (row[beam] == "1" ? "light" : "dark"))
      #expect(record.labels["photons"] == (row[beam] == "1" ? "some" : "none"))
      let image = try corpus.image(record)
      let places = try #require(try corpus.detectorCoordinates(for: record))
      // Dark shots of a calibrated detector have no photons.
      let sum = zip(image.pixels.elements, image.weight.elements).reduce(0) { $0 + Double($1.0 * $1.1) }
      let mean = sum / image.weight.elements.reduce(0) { $0 + Double($1) }
      if row[beam] != "1" { #expect(abs(mean) < 0.05) }
      // A full CSPAD covers 2.3 of 2.86 million pixels of its square.
      #expect((0.65...0.9).contains(record.coverage))
      for i in image.weight.elements.indices where places.panel.elements[i] < 0 { #expect(image.weight.elements[i] < 1) }
      #expect(places.panel.elements.max() == 31)
      // What a pixel mostly shows: a panel wherever it measures anything, within a picture's pixel (13 canvas pixels of 0.11 mm) of its middle.
      let shown = try #require(places.places), positions = try #require(pixels[record.event.run])
      #expect(Set(shown.panel.elements).subtracting([-1]).count == 32 && record.chips == (1, 2))
      for i in shown.panel.elements.indices {
        let panel = Int(shown.panel.elements[i])
        #expect(panel >= 0 || image.weight.elements[i] == 0)
        guard panel >= 0, Int(places.panel.elements[i]) == panel else { continue }
        let at = (panel * 185 + Int(shown.row.elements[i])) * 388 + Int(shown.column.elements[i])
        let dx = positions.x.elements[at] / 1000 - Double(places.x.elements[i])
        let dy = positions.y.elements[at] / 1000 - Double(places.y.elements[i])
        #expect(max(abs(dx), abs(dy)) < 1.5, "pixel \(i)")
      }
      // The corners of a square of 186 mm lie 131.5 mm from its middle.
      #expect((110...131.5).contains(places.radius(from: places.centre).elements.filter { !$0.isNaN }.max() ?? 0))
    }
    // Each run has its own geometry.
    #expect(Set(corpus.records.map(\.geometry)).count == 3)
    try corpus.verify()
  }

  /// The corpus of the turned detector: the same events and labels, each picture turned, with its mask and the places of its pixels.
  @Test func theTurnedDetectorMakesTheTurnedPictures() throws {
    let scratch = Scratch()
    var plan = SimulationPlan(detector: .cspad)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([1, 2, 3], 1, 0)
    try SimulatedRuns.write(plan, to: scratch.path)
    let settings = "calibration: calib\ngeometry: calibration\nview: assembled\ncentre: beam"
    func built(_ name: String, _ image: String, _ extra: String) throws -> Corpus {
      try CorpusBuilder.build(recipe("cspad", image: image, source: settings + extra), relativeTo: scratch.path, to: scratch(name))
    }
    let plain = try built("plain", "{height: 65, width: 97}", "")
    let matrices: [(String, Symmetry, Bool, (Float, Float) -> (Float, Float))] = [
      ("left-right", .mirror, false, { ($0, -$1) }), ("quarter-turn-left", .quarterTurn, true, { (-$1, $0) }),
    ]
    for (keyword, symmetry, transposes, matrix) in matrices {
      let twin = try built(keyword, transposes ? "{height: 97, width: 65}" : "{height: 65, width: 97}", "\nsymmetry: \(keyword)")
      #expect(twin.records.map(\.id) == plain.records.map(\.id) && twin.records.map(\.event) == plain.records.map(\.event))
      #expect(twin.manifest.sources[0].transforms.contains("turn the detector: \(keyword)"))
      for (record, other) in zip(plain.records, twin.records) {
        #expect(record.geometry != other.geometry)
        let (turned, image) = (symmetry(try plain.image(record)), try twin.image(other))
        #expect(turned.weight == image.weight)
        let largest = turned.pixels.elements.reduce(0) { max($0, abs($1)) }
        #expect(zip(turned.pixels.elements, image.pixels.elements).allSatisfy { abs($0 - $1) <= 1e-6 * largest })
        // The pixel under the middle of another one is rounded, so a place may be one canvas pixel of 0.11 mm away.
        let own = try #require(try plain.detectorCoordinates(for: record)), places = try #require(try twin.detectorCoordinates(for: other))
        let (x, y, panel) = (symmetry(own.x), symmetry(own.y), symmetry(own.panel))
        var same = 0
        for i in panel.elements.indices where panel.elements[i] == places.panel.elements[i] {
          same += 1
          guard panel.elements[i] >= 0 else { continue }
          let expected = matrix(x.elements[i], y.elements[i])
          #expect(abs(places.x.elements[i] - expected.0) < 0.12 && abs(places.y.elements[i] - expected.1) < 0.12)
        }
        #expect(Double(same) > 0.98 * Double(panel.shape.count))
      }
    }
    let refused = inputError { _ = try self.recipe("cspad", image: "{height: 9, width: 9}", source: "view: panels\nsymmetry: left-right") }
    #expect(refused?.expected.contains("view: assembled") == true)
    #expect(throws: InputError.self) { _ = try self.recipe("cspad", image: "{height: 9, width: 9}", source: settings + "\nsymmetry: sideways") }
  }

  /// The same light on the mirrored detector: the outline turns, the shadow of a holder's edge and the rings stay.
  @Test func theMirroredDetectorSeesTheSameLight() throws {
    let scratch = Scratch()
    func built(_ symmetry: Symmetry) throws -> Corpus {
      var plan = SimulationPlan(detector: .cspad)
      (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([1, 2, 3], 1, 0)
      // Even light but for the shadow: steep slopes would show that canvas pixels of the two lie half a pixel apart.
      (plan.cspad.shadowRate, plan.cspad.noJetRate, plan.cspad.ringPhotons, plan.cspad.detectorSymmetry) = (1, 0, 5...5, symmetry)
      (plan.cspad.calibrantRate, plan.cspad.background, plan.cspad.ringStrength, plan.cspad.streakRate) = (1, 1, 1e-3...1e-3, 0)
      try SimulatedRuns.write(plan, to: scratch(symmetry.keyword))
      let source = "calibration: calib\ngeometry: calibration\nview: assembled\ncentre: beam\nfit: crop"
      let recipe = try recipe("cspad", image: "{height: 65, width: 65}", source: source)
      return try CorpusBuilder.build(recipe, relativeTo: scratch(symmetry.keyword), to: scratch(symmetry.keyword + "-corpus"))
    }
    let (own, twin) = (try built(.identity), try built(.mirror))
    #expect(own.records.map(\.event) == twin.records.map(\.event) && Set(own.records.map(\.id)).isDisjoint(with: twin.records.map(\.id)))
    var (same, mirrored, both, either) = (0.0, 0.0, 0, 0)
    for (record, other) in zip(own.records, twin.records) {
      let (x, t) = (try own.image(record), try twin.image(other)), m = Symmetry.mirror(x)
      for i in t.pixels.elements.indices {
        let (a, b) = (m.weight.elements[i] >= 0.5, t.weight.elements[i] >= 0.5)
        both += a && b ? 1 : 0
        either += a || b ? 1 : 0
        guard min(x.weight.elements[i], t.weight.elements[i], m.weight.elements[i]) >= 0.9 else { continue }
        same += Double(abs(t.pixels.elements[i] - x.pixels.elements[i]))
        mirrored += Double(abs(t.pixels.elements[i] - m.pixels.elements[i]))
      }
    }
    #expect(Double(both) > 0.95 * Double(either))
    #expect(same < 0.5 * mirrored, "\(same), \(mirrored)")
  }

  @Test func timeToolRunsMakePanelsOfACamera() throws {
    let scratch = Scratch()
    var plan = SimulationPlan(detector: .timetool)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([1, 2, 3], 4, 0)
    try SimulatedRuns.write(plan, to: scratch.path)
    let recipe = try recipe(
      "timetool", image: "{height: 33, width: 65}",
      source: "fit: stretch\nlabels: [{name: energy, thresholds: {scalar: no.such_scalar, bins: [{name: all}]}, missing: drop}]")
    let none = inputError { try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c")) }
    #expect(none?.found.contains("label energy: missing: 12") == true)
    var run = recipe
    run.sources[0].labels = [LabelRule(name: "run", .runs(["1": "a", "sim:2": "b", "3": "a"]))]
    let corpus = try CorpusBuilder.build(run, relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.count == 12)
    #expect(corpus.records.allSatisfy { $0.labels["run"] == ($0.event.run == 2 ? "b" : "a") })
    #expect(Set(corpus.records.map(\.event)).count == 12)
  }

  @Test func aKilledBuildGoesOnToTheSameBytes() async throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    try CorpusBuilder.build(runs.recipe(top: "imagesPerShard: 3"), relativeTo: scratch.path, to: scratch("unbroken"))
    let path = scratch.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      try CorpusBuilder.build(StackRuns().recipe(top: "imagesPerShard: 3"), relativeTo: path, to: path + "/killed") { progress in
        if progress.activity.hasPrefix("build"), progress.done >= 17 { kill(getpid(), SIGKILL) }
      }
    }
    #expect(!scratch.exists("killed"))
    #expect(scratch.digests("killed.building").filter { $0.key.hasSuffix(".h5") }.count >= 3)
    try CorpusBuilder.build(runs.recipe(top: "imagesPerShard: 3"), relativeTo: scratch.path, to: scratch("killed"))
    #expect(scratch.digests("killed") == scratch.digests("unbroken"))
  }
}

struct EventBatchTests {
  private let record: [UInt8] =
    [UInt8](repeating: 9, count: 16) + [1, 2, 3, 4, 5] + [UInt8](repeating: 0, count: 11) + [5, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 11)
    + [UInt8](repeating: 7, count: 16) + [16, 0, 0, 0, 2] + [UInt8](repeating: 0, count: 11)

  @Test func subframesAreFoundByDestination() throws {
    #expect(try EventBatch.subframe(1, of: record, path: "", place: "") == [1, 2, 3, 4, 5])
    #expect(try EventBatch.subframe(2, of: record, path: "", place: "") == [UInt8](repeating: 7, count: 16))
    #expect(try EventBatch.subframe(3, of: record, path: "", place: "") == nil)
  }

  @Test func brokenBatchesAreErrors() {
    for length in 0..<record.count where length != 16 && length != 48 {
      #expect(inputError { _ = try EventBatch.subframe(1, of: Array(record.prefix(length)), path: "", place: "") } != nil)
    }
    var random = Philox(seed: 3)
    for _ in 0..<2000 {
      let bytes = (0..<Int(random.next() % 200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      do { _ = try EventBatch.subframe(1, of: bytes, path: "", place: "") } catch { #expect(error.kind == .malformed) }
    }
  }
}
