import Corpora
import Foundation
import Frames
import Host
import Tensors

/// A corpus of made-up frames: `frame(isDark, run, random)` draws one; six runs of 40 beam frames and 60 darks each, runs 5 and 6 for the
/// test. Pixels of −1000 are gaps. With `turnedBy` they are assembled by a geometry of one panel, turned by that symmetry. Of two sources the one has
/// the odd runs and the other the even ones.
func madeCorpus(
  in folder: String, side: Int, splitBy: SplitRule.Unit = .run, turnedBy symmetry: Symmetry? = nil, sources names: [String] = ["made"], to name: String = "corpus",
  frame: (Bool, Int, inout Philox) -> [Float]
) throws -> Corpus {
  var values: [String: String] = [:]
  for run in 1...6 {
    for (name, isDark, count) in [("on", false, 40), ("dark", true, 60)] {
      var random = Philox(seed: 5, UInt64(run), isDark ? 1 : 0), elements: [Float] = []
      for _ in 0..<count { elements += frame(isDark, run, &random) }
      let array = NPYArray(element: .float32, shape: [count, side, side], bytes: elements.withUnsafeBytes { Array($0) })
      try AtomicFile.write(Data(array.file), to: "\(folder)/raw/\(name)-run\(run)/frames.npy")
      values["\(name)-run\(run)"] = name
    }
  }
  var source = SourceRecipe(
    name: "made", files: ["raw/*/frames.npy"], experiment: .named("made"), run: .folder, gapValue: -1000,
    labels: [LabelRule(name: "beam", .folder(level: 1), values: values)])
  if let symmetry {
    try AtomicFile.write(Data("DET:V1 0 MTRX:\(side):\(side):100:100 0 0 0 0 0 0 0 0 0 0\n".utf8), to: folder + "/geometry.data")
    (source.view, source.geometry) = (.assembled, "geometry.data")
    source.symmetry = symmetry == .identity ? nil : symmetry
  }
  let sources = names.enumerated().map { place, name in
    var own = source
    own.name = name
    if names.count > 1 { own.files = (1...6).filter { $0 % 2 != place }.flatMap { run in ["on", "dark"].map { "raw/\($0)-run\(run)/frames.npy" } } }
    return own
  }
  let keys = { (runs: ClosedRange<Int>) in runs.map { RunKey(experiment: "made", run: $0) } }
  let split = splitBy == .run
    ? SplitRule(runs: [.train: keys(1...3), .validation: keys(4...4), .test: keys(5...6)])
    : SplitRule(by: .frame, train: 0.5, validation: 0, test: 0.5, allowEmpty: true, allowFrameSplit: true)
  return try CorpusBuilder.build(
    CorpusRecipe(name: "made", image: .init(height: side, width: side), split: split, sources: sources), relativeTo: folder, to: "\(folder)/\(name)")
}

/// A folder that is gone when `body` ends.
func withScratch<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = NSTemporaryDirectory() + "psimagenet-cues-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}
