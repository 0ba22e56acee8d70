import Audits
import Corpora
import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Runs of a camera with nothing wrong: every shot a bright spot of its own place, width and height on white noise of σ 1, its class
/// drawn by chance and told by the sign of a slope. Some shots, by chance, are dark. A test spoils one thing.
struct CameraRuns {
  struct Shot {
    var run: Int, index: Int
    var isB: Bool
    var isDark: Bool
    var nanoseconds: UInt32
    var pixels: [Float]
  }

  static let side = 20
  static let beam = "{name: beam, dataset: /label, values: {0: \"on\", 1: \"on\", 2: dark}}"
  static let labels = "[\(beam), {name: slope, dataset: /label, values: {0: falling, 1: rising, 2: none}}, {name: camera, constant: c}]"
  var runs = 12
  var shots = 32
  var spoil: (inout Shot) -> Void = { _ in }
  /// Written as 16-bit counts instead of real numbers, 100 ADU higher.
  var asCounts = false

  func shot(_ run: Int, _ index: Int) -> Shot {
    var random = Philox(seed: 11, UInt64(run), UInt64(index))
    var shot = Shot(
      run: run, index: index, isB: random.uniform() < 0.5, isDark: random.uniform() < 0.15, nanoseconds: UInt32(random.uniform() * 999_999_999), pixels: [])
    let row = random.uniform(4, 16), column = random.uniform(4, 16), width = random.uniform(2, 4), height = random.uniform(40, 80)
    let slope = shot.isB ? 0.5 : -0.5, level = random.uniform(10, 20)
    for r in 0..<Self.side {
      for c in 0..<Self.side {
        let d2 = (Double(r) - row) * (Double(r) - row) + (Double(c) - column) * (Double(c) - column)
        let signal = shot.isDark ? 0 : height * exp(-d2 / (2 * width * width)) + slope * (Double(r) - 10) + level
        shot.pixels.append(Float(signal + random.normal()))
      }
    }
    spoil(&shot)
    return shot
  }

  func write(to scratch: Scratch) throws {
    for run in 1...runs {
      try AtomicFile.makeFolder(scratch("raw/run\(run)"))
      let file = try HDF5File(creating: scratch("raw/run\(run)/shots.h5"))
      let all = (0..<shots).map { shot(run, $0) }, shape = Shape([shots, Self.side, Self.side])
      if asCounts {
        try file.write(all.flatMap { $0.pixels.map { UInt16(max(0, min(65535, $0 + 100))) } }, shape: shape, to: "/images")
      } else {
        try file.write(all.flatMap(\.pixels), shape: shape, to: "/images")
      }
      try file.write(all.map { Int64($0.isDark ? 2 : $0.isB ? 1 : 0) }, shape: [shots], to: "/label")
      try file.write(all.map { _ in UInt32(1_500_000_000) }, shape: [shots], to: "/seconds")
      try file.write(all.map(\.nanoseconds), shape: [shots], to: "/nanoseconds")
      try file.write(all.map { UInt32(Philox(seed: 5, UInt64($0.run), UInt64($0.index)).keyed("fiducial").firstWord % 100_000) }, shape: [shots], to: "/fiducials")
      try file.write(all.map { Int64($0.run) }, shape: [shots], to: "/run")
      try file.close()
    }
  }

  func build(
    _ scratch: Scratch, split: String = "{train: 0.4, validation: 0.3, test: 0.3, runs: {train: ['t:1'], validation: ['t:2'], test: ['t:3']}}",
    extra: String = "", labels: String = CameraRuns.labels
  ) throws -> Corpus {
    try write(to: scratch)
    return try CorpusBuilder.build(
      CorpusRecipe(
        yaml: """
          name: spots
          seed: 5
          image: {height: \(Self.side), width: \(Self.side)}
          split: \(split)
          sources:
            - name: spots
              files: ["raw/run*/shots.h5"]
              dataset: /images
              detector: picture
              experiment: t
              run: folder
              labels: \(labels)
              \(extra)
          """), relativeTo: scratch.path, to: scratch("corpus"))
  }
}

extension Philox {
  var firstWord: UInt64 {
    var copy = self
    return copy.next()
  }
}

extension CorpusAudit {
  var failures: [Gate.Name] { gates.filter { $0.verdict == .failed }.map(\.name) }
}
