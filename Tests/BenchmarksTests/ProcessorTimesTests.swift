import Benchmarks
import Foundation
import Host
import Testing

/// A folder with `/proc/stat` and `/proc/self/stat` of the given numbers.
private func tree(_ stat: String, own: String) throws -> String {
  let root = NSTemporaryDirectory() + "processor-\(UUID().uuidString)"
  try AtomicFile.write(Data(stat.utf8), to: root + "/proc/stat")
  try AtomicFile.write(Data(own.utf8), to: root + "/proc/self/stat")
  return root
}

/// Fields 14 to 17 of proc(5) are the process's own times; its name holds what would mislead a reader by spaces.
private let own = "42 (a ) b 7) S 1 2 3 4 5 6 7 8 9 10 300 40 5 6 20 0 2 0 99\n"

@Test func processorTimesAreReadFromTheirFields() throws {
  let root = try tree("cpu  100 20 30 1000 50 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n", own: own)
  defer { try? FileManager.default.removeItem(atPath: root) }
  let times = try ProcessorTimes.now(root: root)
  #expect(times.busy == 100 + 20 + 30 + 6 + 7 && times.steal == 8 && times.total == 100 + 20 + 30 + 1000 + 50 + 6 + 7 + 8)
  #expect(times.own == 300 + 40 + 5 + 6)
}

@Test(arguments: [("intr 5", own), ("cpu  1 2 3", own), ("cpu  1 2 3 4 5 6 7 8", "42 (x) S 1 2")])
func timesThatAreNotThereAreAnError(stat: String, own: String) throws {
  let root = try tree(stat, own: own)
  defer { try? FileManager.default.removeItem(atPath: root) }
  #expect(throws: InputError.self) { try ProcessorTimes.now(root: root) }
}

/// 200 ticks pass; this process takes `own`, others `others`, the machine below `steal`.
private func load(own: Int, others: Int, steal: Int) throws -> ForeignLoad {
  func times(_ busy: Int, _ steal: Int, _ idle: Int, _ own: Int) throws -> ProcessorTimes {
    let root = try tree("cpu  \(busy) 0 0 \(idle) 0 0 0 \(steal) 0 0\n", own: "1 (x) S 1 2 3 4 5 6 7 8 9 10 \(own) 0 0 0 20\n")
    defer { try? FileManager.default.removeItem(atPath: root) }
    return try ProcessorTimes.now(root: root)
  }
  return ForeignLoad(
    from: try times(1000, 50, 5000, 700), to: try times(1000 + own + others, 50 + steal, 5000 + 200 - own - others - steal, 700 + own))
}

@Test func foreignLoadIsWhatOthersAndTheHostTook() throws {
  let quiet = try load(own: 190, others: 4, steal: 2)
  #expect(abs(quiet.others - 0.02) < 1e-12 && abs(quiet.steal - 0.01) < 1e-12 && quiet.isClean)
  #expect(try !load(own: 100, others: 12, steal: 0).isClean)
  #expect(try !load(own: 100, others: 0, steal: 12).isClean)
  #expect(try load(own: 100, others: 11, steal: 11).isClean)
}

/// Stands for a machine on which others run in every second block.
private final class Disturbed {
  private var readings = 0
  func times() throws -> ProcessorTimes {
    let root = try tree(
      "cpu  \(readings / 2 % 2 == 1 && readings % 2 == 1 ? readings * 1000 + 500 : readings * 1000) 0 0 \(readings * 1000) 0 0 0 0 0 0\n",
      own: "1 (x) S 1 2 3 4 5 6 7 8 9 10 \(readings * 1000) 0 0 0 20\n")
    defer { try? FileManager.default.removeItem(atPath: root) }
    readings += 1
    return try ProcessorTimes.now(root: root)
  }
}

@Test func disturbedBlocksAreDiscardedAndCounted() throws {
  var sampler = Sampler(count: 6, patience: .seconds(20)), runs = 0
  sampler.block = .zero
  let machine = Disturbed()
  let samples = try sampler.measure(times: machine.times) { runs += 1 }
  // One block a step: every second one is thrown away, and the first run is not counted.
  #expect(samples.count == 6 && samples.discarded == 5 && runs == 1 + 6 + 5)
  #expect(samples.median.map { $0 >= samples.minimum! } == true)
}

@Test func impatienceEndsWithWhatThereIs() throws {
  var sampler = Sampler(count: 1000, patience: .zero)
  sampler.block = .zero
  let samples = try sampler.measure { }
  #expect(samples.count + samples.discarded == 1)
}

/// What this very process does is not foreign, whatever else the machine is busy with meanwhile.
@Test func ownWorkIsNotForeign() throws {
  let before = try ProcessorTimes.now()
  var after = before, sum = 0.0
  while after.own - before.own < 50 {
    for _ in 0..<10_000_000 { sum += 1 }
    after = try ProcessorTimes.now()
  }
  // The two are counted apart, by tasks and by processors: they agree to some ticks.
  #expect(sum > 0 && Double(after.busy - before.busy) >= 0.9 * Double(after.own - before.own) - 3)
}
