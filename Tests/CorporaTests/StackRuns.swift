import Corpora
import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Raw runs as HDF5 stacks `raw/run<n>/shots.h5` with `/images` f32 `[N,H,W]` and `/label` i64 `[N]`.
struct StackRuns {
  var runs = [1, 2, 3, 4, 5, 6]
  var shots = 7
  var height = 20
  var width = 30
  /// (run, shot, row, column) -> ADU
  var pixel: (Int, Int, Int, Int) -> Float = { run, shot, row, column in
    Float(100 * run + 10 * shot) + Float(row) * 0.5 + Float(column) * 0.25
  }
  var label: (Int, Int) -> Int64 = { _, shot in Int64(shot % 3) }

  func write(to scratch: Scratch) throws {
    for run in runs {
      let folder = scratch("raw/run\(run)")
      try AtomicFile.makeFolder(folder)
      let file = try HDF5File(creating: folder + "/shots.h5")
      var values: [Float] = []
      for shot in 0..<shots {
        for row in 0..<height { for column in 0..<width { values.append(pixel(run, shot, row, column)) } }
      }
      try file.write(values, shape: [shots, height, width], to: "/images")
      try file.write((0..<shots).map { label(run, $0) }, shape: [shots], to: "/label")
      try file.close()
    }
  }

  /// The recipe that reads them, with `extra` lines of the source and `top` lines of the recipe.
  func recipe(
    image: String = "{height: 5, width: 5}", split: String = "{train: 0.34, validation: 0.33, test: 0.33, runs: {train: ['t:1'], validation: ['t:2'], test: ['t:3']}}",
    top: String = "", extra: String = "", labels: String = "[{name: kind, dataset: /label, values: {0: none, 1: one, 2: drop}}]"
  ) throws -> CorpusRecipe {
    try CorpusRecipe(
      yaml: """
        name: stacks
        seed: 5
        image: \(image)
        split: \(split)
        \(top)
        sources:
          - name: shots
            files: ["raw/run*/shots.h5"]
            dataset: /images
            detector: picture
            experiment: t
            run: folder
            labels: \(labels)
            \(extra.contains("fit:") ? "" : "fit: stretch")
            \(extra)
        """)
  }
}

/// The error that `body` throws.
func inputError(sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) -> InputError? {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as InputError {
    return error
  } catch {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
  }
  return nil
}
