import Foundation
import Host
import Pretexts
import TensorBoard

/// Where a run keeps what it did: `recipe.json`, `metrics.jsonl`, `last.safetensors`, `best.safetensors`, and for TensorBoard an
/// `events.out.tfevents…` of every time that it went on.
public struct RunFolder: Sendable {
  public let path: String
  public init(_ path: String) { self.path = path }

  public var recipe: String { path + "/recipe.json" }
  public var metrics: String { path + "/metrics.jsonl" }
  public var last: String { path + "/last.safetensors" }
  public var best: String { path + "/best.safetensors" }

  /// Figures of one moment of a run.
  public struct Metric: Codable, Hashable, Sendable {
    /// Steps done.
    public var step: Int
    /// `train` (the step's own batch) or `validation` (the whole split).
    public var split: String
    /// Mean loss, nats.
    public var loss: Double
    /// Share of right answers, 0...1; the mean over tasks, where several are trained at once.
    public var accuracy: Double
    /// By task, where several are trained at once.
    public var accuracies: [String: Double]?
    /// Examples behind the two.
    public var count: Int
    /// Different pictures that these are of; `nil` in files that do not tell.
    public var pictures: Int?
    public var learningRate: Double
    public var imagesPerSecond: Double

    public init(
      step: Int, split: String, loss: Double, accuracy: Double, accuracies: [String: Double]? = nil, count: Int, pictures: Int? = nil,
      learningRate: Double, imagesPerSecond: Double
    ) {
      (self.step, self.split, self.loss, self.accuracy, self.accuracies) = (step, split, loss, accuracy, accuracies)
      (self.count, self.pictures, self.learningRate, self.imagesPerSecond) = (count, pictures, learningRate, imagesPerSecond)
    }

    init(
      step: Int, split: String, loss: Double, right: [Int], of count: Int, pictures: Int? = nil, _ questions: [Question], learningRate: Double,
      imagesPerSecond: Double
    ) {
      let shares = right.map { Double($0) / Double(count) }
      self.init(
        step: step, split: split, loss: loss, accuracy: shares.reduce(0, +) / Double(shares.count),
        accuracies: shares.count > 1 ? Dictionary(uniqueKeysWithValues: zip(questions.map(\.name), shares)) : nil, count: count,
        pictures: pictures, learningRate: learningRate, imagesPerSecond: imagesPerSecond)
    }

    /// The line as others may read it, without its accuracy where that is withheld.
    public func told(withholding isWithheld: Bool) throws(InputError) -> JSONValue {
      guard isWithheld, case .object(var fields) = try JSONValue.of(self) else { return try .of(self) }
      for key in ["accuracy", "accuracies"] { fields[key] = nil }
      return .object(fields)
    }
  }

  /// The metrics so far, without those after `step`, which a killed run wrote and a resumed one will write again.
  public func metrics(through step: Int = .max) throws(InputError) -> [Metric] {
    guard FileManager.default.fileExists(atPath: metrics) else { return [] }
    let data = try AtomicFile.read(metrics)
    var result: [Metric] = []
    let lines = data.split(separator: UInt8(ascii: "\n"))
    for (number, line) in lines.enumerated() {
      do {
        let metric = try CanonicalJSON.value(Metric.self, from: Data(line), path: metrics)
        if metric.step <= step { result.append(metric) }
      } catch {
        // Only the last line can have been cut short by a kill.
        guard number == lines.count - 1, data.last != UInt8(ascii: "\n") else {
          throw InputError(path: metrics, place: "line \(number + 1)", expected: error.expected, found: error.found)
        }
      }
    }
    return result
  }

  static func line(_ metric: Metric) throws(InputError) -> Data {
    try CanonicalJSON.data(metric, pretty: false) + Data("\n".utf8)
  }
}

/// Appends lines to `metrics.jsonl` and figures to the event file as they come.
final class MetricLog {
  private let handle: FileHandle
  private let events: EventFile
  private let path: String

  /// Starts with the metrics through `step`, dropping whatever else the file held, and of a look that is repeated what it said.
  init(_ folder: RunFolder, step: Int, repeatingLook: Bool = false) throws(InputError) {
    let metrics = try folder.metrics(through: step).filter { !(repeatingLook && $0.step == step && $0.split == "validation") }
    var data = Data()
    for metric in metrics { data += try RunFolder.line(metric) }
    try AtomicFile.write(data, to: folder.metrics)
    guard let handle = FileHandle(forWritingAtPath: folder.metrics) else {
      throw InputError(.inputOutput, path: folder.metrics, place: "open", expected: "a writable file", found: "none")
    }
    self.handle = handle
    path = folder.metrics
    events = try EventFile(folder: folder.path, step: step)
    do { try handle.seekToEnd() } catch { throw failure(error) }
  }

  func append(_ metric: RunFolder.Metric) throws(InputError) {
    let line = try RunFolder.line(metric)
    do { try handle.write(contentsOf: line) } catch { throw failure(error) }
    let split = metric.split
    try events.append(
      step: metric.step,
      ["\(split)/loss": metric.loss, "\(split)/accuracy": metric.accuracy, "\(split)/images per second": metric.imagesPerSecond])
    for (task, accuracy) in (metric.accuracies ?? [:]).sorted(by: { $0.key < $1.key }) {
      try events.append(step: metric.step, ["\(split)/accuracy \(task)": accuracy])
    }
    if split == "train" { try events.append(step: metric.step, ["learning rate": metric.learningRate]) }
  }

  private func failure(_ error: any Error) -> InputError {
    InputError(.inputOutput, path: path, place: "write", expected: "room on disk", found: AtomicFile.reason(error))
  }
}
