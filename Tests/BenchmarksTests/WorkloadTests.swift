import Benchmarks
import Engine
import Foundation
import Host
import Testing

@Test(arguments: Workload.Kind.allCases) func aServerAnswersStepsMemoryAndNonsense(kind: Workload.Kind) throws {
  let workload = Workload(kind, backbone: "resnet10", side: 33, batch: 4, precision: .float32)
  var requests = ["step 3", "step", "step 0", "dance 3", "memory", "quit", "step 1"], answers: [String] = []
  try StepServer(workload).serve(requests: { requests.isEmpty ? nil : requests.removeFirst() }) { answers.append($0) }
  #expect(answers.count == 6 && requests == ["step 1"])
  func value<T: Decodable>(_ type: T.Type, _ index: Int) throws -> T { try CanonicalJSON.value(type, from: Data(answers[index].utf8), path: "") }
  let ready = try value(StepServer.Ready.self, 0)
  #expect(ready.workload == workload && ready.planBytes > 0 && ready.threads > 0)
  let steps = try value(StepServer.Steps.self, 1)
  #expect(steps.milliseconds.count == 3 && steps.milliseconds.allSatisfy { $0 > 0 } && (steps.loss != nil) == (kind == .training))
  for index in 2...4 { #expect(try value(StepServer.Refusal.self, index).error.contains("expected")) }
  #expect(try value(StepServer.Memory.self, 5).peakBytes > 1 << 20)
  for answer in answers { #expect(!answer.contains("\n")) }
}

@Test func trainingOnOneBatchLowersItsLoss() throws {
  let compiled = try CompiledWorkload(Workload(.training, backbone: "resnet10", side: 33, batch: 8, precision: .float32))
  let first = try compiled.step()
  var last = first
  for _ in 0..<20 { last = try compiled.step() }
  #expect(last < first)
}

/// ResNet-10 has 12 convolutions; 11 of them pass a gradient to their input, and the head is three products.
@Test func theReportOfOperationsAddsUp() throws {
  let report = try CompiledWorkload(Workload(.training, backbone: "resnet10", side: 33, batch: 2, precision: .float32)).operations(repeats: 1)
  let sums = (report.kinds.reduce(0) { $0 + $1.milliseconds }, report.steps.reduce(0) { $0 + $1.milliseconds })
  #expect(abs(sums.0 - report.milliseconds) < 1e-6 * report.milliseconds && abs(sums.1 - report.milliseconds) < 1e-6 * report.milliseconds)
  #expect(report.kinds.reduce(0) { $0 + $1.steps } == report.steps.count)
  #expect(zip(report.steps, report.steps.dropFirst()).allSatisfy { $0.milliseconds >= $1.milliseconds })
  let counted = report.steps.filter { $0.gigaflopsPerSecond != nil }
  #expect(Set(counted.map(\.node)).count == 12 + 12 + 11 + 3 && counted.allSatisfy { $0.gigaflopsPerSecond! > 0 })
}

/// Published counts for one picture of 3×224×224, in millions of multiply-adds, convolutions and classifier: He et al. 2016,
/// table 1 (1.8·10⁹ for ResNet-18), and torchvision's model cards (1.814 G). The codeword has no classifier (0.5 M).
@Test func aNetworksOperationsAreThePublishedOnes() throws {
  let compiled = try CompiledWorkload(Workload(.inference, channels: 3, side: 224, batch: 1, precision: .float32))
  #expect(abs(Double(compiled.floatingPointOperations) / 2 - 1.8136e9) < 0.002e9)
}

@Test func impossibleWorkloadsAreRefusedByName() {
  func place(_ change: (inout Workload) -> Void) -> String? {
    var workload = Workload(.training, precision: .float32)
    change(&workload)
    do { _ = try CompiledWorkload(workload) } catch { return (error as? InputError)?.place }
    return nil
  }
  #expect(place { $0.backbone = "resnet17" } == "backbone" && place { $0.batch = 0 } == "batch")
  #expect(place { $0.side = -1 } == "side" && place { $0.channels = 0 } == "channels")
}

@Test func peaksAreMeasuredAndTheBestWayIsNamed() throws {
  let peaks = try MachinePeaks.measure(sizes: [64, 128], repetitions: 1, cacheBytes: 1 << 20)
  #expect(peaks.float32.value > 0 && peaks.float32.tried[peaks.float32.way] == peaks.float32.value && peaks.float32.tried.count == 6)
  #expect(peaks.float32.tried.values.allSatisfy { $0 <= peaks.float32.value && $0 > 0 })
  #expect(peaks.bandwidth.value > 0 && (peaks.bfloat16 == nil || peaks.bfloat16!.value > 0))
}

@Test func figuresFollowFromTheirSamples() {
  let figure = SpeedFigure("step", "x", Samples(milliseconds: [30, 10, 20], discarded: 2), images: 5, floatingPointOperations: 40_000_000, peak: 4)
  #expect(figure.median == 20 && figure.minimum == 10 && figure.imagesPerSecond == 250)
  #expect(figure.gigaflopsPerSecond == 2 && figure.percentOfPeak == 50)
  let empty = SpeedFigure("step", "x", Samples(discarded: 4), images: 5, floatingPointOperations: 1, peak: 4)
  #expect(empty.median == nil && empty.imagesPerSecond == nil && empty.percentOfPeak == nil)
}

@Test func theOutermostCacheIsFound() throws {
  let root = NSTemporaryDirectory() + "cache-\(UUID().uuidString)", folder = root + "/sys/devices/system/cpu/cpu0/cache"
  defer { try? FileManager.default.removeItem(atPath: root) }
  for (index, level, size) in [(0, 1, "48K"), (1, 1, "32K"), (2, 2, "1M"), (3, 3, "32768K")] {
    try AtomicFile.write(Data("\(level)\n".utf8), to: "\(folder)/index\(index)/level")
    try AtomicFile.write(Data("\(size)\n".utf8), to: "\(folder)/index\(index)/size")
  }
  #expect(BenchMachine.lastLevelCacheBytes(root: root) == 32 << 20)
  #expect(BenchMachine.lastLevelCacheBytes(root: root + "/nowhere") == nil)
}
