import Benchmarks
import Foundation
import Host
import Pretexts
import Testing

@Test func loadingAndFeedingAreTimedOnACorpusOfNoise() throws {
  let folder = NSTemporaryDirectory() + "feeding-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let corpus = try SyntheticCorpus.build(in: folder, count: 40, side: 16)
  // What else runs beside a test may spoil every sample: what was taken or thrown away counts here.
  let sampler = Sampler(count: 2, patience: .milliseconds(1))
  for concurrently in [true, false] {
    let loading = try LoadingBench.figures(corpus: corpus, task: SingleImage(), batch: 4, concurrently: concurrently, sampler: sampler)
    #expect(loading.map(\.work) == ["read shards", "prepare a batch"] && loading.map(\.images) == [40, 4])
    #expect(loading.allSatisfy { $0.samples.count + $0.samples.discarded > 0 })
  }
  for memory in [0, 1 << 20] {
    let feeding = try FeedingBench.figures(
      corpus: corpus, task: Flip(), backbone: "lenet5", batch: 4, precision: .float32, memory: memory, sampler: sampler)
    #expect(feeding.map(\.work) == ["training step, batch in memory", "training step, fed"])
    #expect(feeding.allSatisfy { ($0.samples.count + $0.samples.discarded) % 8 == 0 && $0.samples.count + $0.samples.discarded > 0 })
    #expect(feeding[1].note.hasPrefix("\(memory == 0 ? 0 : 40) of 40 pictures in memory"))
  }
  #expect(throws: InputError.self) {
    try FeedingBench.figures(
      corpus: folder + "/nowhere", task: Flip(), backbone: "lenet5", batch: 4, precision: .float32, memory: 0, sampler: sampler)
  }
}
