import Corpora
import Frames
import Host
import Tensors

/// A corpus of noise, for timing the way from shards to batches where no real corpus is at hand.
public enum SyntheticCorpus {
  /// Builds a corpus of `count` training pictures of `side`×`side` under `folder` and gives its folder.
  ///
  /// The pictures are smooth with noise on top, in whole ADU, so that they compress about as camera frames do. One run each is
  /// added for validation and test.
  public static func build(in folder: String, count: Int, side: Int, seed: UInt64 = 1) throws -> String {
    for (run, frames) in [(1, count), (2, 8), (3, 8)] {
      try AtomicFile.makeFolder("\(folder)/raw/run\(run)")
      let file = try HDF5File(creating: "\(folder)/raw/run\(run)/shots.h5")
      var values: [Float] = [], random = Philox(seed: seed, UInt64(run))
      values.reserveCapacity(frames * side * side)
      for frame in 0..<frames {
        let bright = Int.random(in: 0..<side, using: &random)
        for row in 0..<side {
          for column in 0..<side {
            let distance = Double((row - bright) * (row - bright) + (column - frame % side) * (column - frame % side))
            values.append(Float((100 / (1 + distance / 50) + random.uniform(0, 6)).rounded()))
          }
        }
      }
      try file.write(values, shape: [frames, side, side], to: "/images")
      try file.close()
    }
    let recipe = try CorpusRecipe(
      yaml: """
        name: noise
        seed: 1
        image: {height: \(side), width: \(side)}
        split: {train: 0.34, validation: 0.33, test: 0.33, runs: {train: ['noise:1'], validation: ['noise:2'], test: ['noise:3']}}
        sources:
          - name: shots
            files: ["raw/run*/shots.h5"]
            dataset: /images
            detector: picture
            experiment: noise
            run: folder
            fit: stretch
        """)
    try CorpusBuilder.build(recipe, relativeTo: folder, to: folder + "/corpus")
    return folder + "/corpus"
  }
}
