import Foundation
import Frames
import Host

/// Which split a picture belongs to.
///
/// A run gets `u = h / 2^64`, `h` the first 8 bytes (big-endian) of `SHA-256("seed/experiment/run")`, and goes to train where
/// `u < train`, to validation where `u < train + validation`, else to test. A run's split depends on nothing but the seed and
/// itself: adding runs never moves old ones. Runs named in `runs` go where they are told.
public struct SplitRule: Codable, Hashable, Sendable {
  /// What is kept together.
  public enum Unit: String, Codable, Sendable, CaseIterable {
    /// All pictures of one (experiment, run).
    case run
    /// All runs of one experiment that subtract the same dark set, named by the set's first run: what calibration leaves of it
    /// stands in each of their pictures. A run without pedestals stands for itself.
    case darkSet
    /// Nothing: neighbours in time can be on both sides. Scores then say little about new runs.
    case frame
  }

  public var by: Unit
  public var train: Double
  public var validation: Double
  public var test: Double
  /// Runs assigned by hand.
  public var runs: [Split: [RunKey]]
  /// Accepts a split that should have pictures and has none.
  public var allowEmpty: Bool
  /// Must be true for `by: frame`.
  public var allowFrameSplit: Bool

  public init(
    by: Unit = .run, train: Double = 0.7, validation: Double = 0.15, test: Double = 0.15, runs: [Split: [RunKey]] = [:],
    allowEmpty: Bool = false, allowFrameSplit: Bool = false
  ) {
    (self.by, self.train, self.validation, self.test, self.runs) = (by, train, validation, test, runs)
    (self.allowEmpty, self.allowFrameSplit) = (allowEmpty, allowFrameSplit)
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case by, train, validation, test, runs, allowEmpty, allowFrameSplit
  }

  public init(from decoder: any Decoder) throws {
    let box = try StrictContainer<CodingKeys>(decoder)
    let unit: String = try box.value(.by, or: Unit.run.rawValue)
    guard let by = Unit(rawValue: unit) else { throw box.refused(.by, expected: "run, darkSet or frame", found: unit) }
    self.init(
      by: by, train: try box.value(.train, or: 0.7), validation: try box.value(.validation, or: 0.15),
      test: try box.value(.test, or: 0.15), allowEmpty: try box.value(.allowEmpty, or: false),
      allowFrameSplit: try box.value(.allowFrameSplit, or: false))
    for (name, keys) in try box.value(.runs, or: [String: [String]]()).sorted(by: { $0.key < $1.key }) {
      guard let split = Split(rawValue: name) else {
        throw box.refused(.runs, expected: "train, validation or test", found: name)
      }
      for key in keys {
        guard let run = RunKey(key) else {
          throw box.refused(.runs, expected: "runs written experiment:number, such as cxitut13:10", found: key)
        }
        if let other = runs.first(where: { $0.value.contains(run) }) {
          throw box.refused(.runs, expected: "each run once", found: "\(run) under \(other.key.rawValue) and \(name)")
        }
        runs[split, default: []].append(run)
      }
    }
    for (key, share) in [(CodingKeys.train, train), (.validation, validation), (.test, test)]
    where !(share >= 0 && share <= 1) {
      throw box.refused(key, expected: "a share from 0 to 1", found: "\(share)")
    }
    guard abs(train + validation + test - 1) < 1e-9 else {
      throw box.refused(nil, expected: "train + validation + test = 1", found: "\(train + validation + test)")
    }
    guard by != .frame || allowFrameSplit else {
      throw box.refused(
        .by, expected: "run or darkSet, or allowFrameSplit: true beside it", found: "frame: neighbours in time would be on both sides")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(by, forKey: .by)
    try box.encode(train, forKey: .train)
    try box.encode(validation, forKey: .validation)
    try box.encode(test, forKey: .test)
    let named = runs.map { ($0.key.rawValue, $0.value.map(\.description).sorted()) }
    try box.encode(Dictionary(uniqueKeysWithValues: named), forKey: .runs)
    try box.encode(allowEmpty, forKey: .allowEmpty)
    try box.encode(allowFrameSplit, forKey: .allowFrameSplit)
  }

  /// The split of a run.
  public func split(of run: RunKey, seed: UInt64) -> Split {
    if let assigned = runs.first(where: { $0.value.contains(run) }) { return assigned.key }
    return split(hashing: "\(seed)/\(run.experiment)/\(run.run)")
  }

  /// The split of one picture; `frame` names it within its run and only matters for `by: frame`, `darkSet` is the first run of the
  /// dark set and only matters for `by: darkSet`.
  public func split(of run: RunKey, frame: String, darkSet: Int? = nil, seed: UInt64) -> Split {
    switch by {
    case .run: return split(of: run, seed: seed)
    case .darkSet:
      if darkSet == nil || runs.values.contains(where: { $0.contains(run) }) { return split(of: run, seed: seed) }
      return split(hashing: "\(seed)/\(run.experiment)/dark \(darkSet ?? 0)")
    case .frame: return split(hashing: "\(seed)/\(run.experiment)/\(run.run)/\(frame)")
    }
  }

  private func split(hashing text: String) -> Split {
    // 16 hexadecimal digits always fit.
    let head = Checksum.sha256(Data(text.utf8)).utf8.prefix(16).reduce(UInt64(0)) { sum, digit in
      sum << 4 | UInt64(digit < 58 ? digit - 48 : digit - 87)
    }
    let u = Double(head) * 0x1p-64
    return u < train ? .train : u < train + validation ? .validation : .test
  }

  /// The splits that should have pictures: those with a share or with runs assigned by hand.
  func expectedSplits() -> [Split] {
    Split.allCases.filter { split in
      (split == .train ? train : split == .validation ? validation : test) > 0 || !(runs[split] ?? []).isEmpty
    }
  }

  /// Throws when a split that should have pictures has none, and says what would help.
  func requireFilled(_ counts: [Split: Int], runs present: Set<RunKey>, path: String) throws(InputError) {
    guard !allowEmpty else { return }
    for split in expectedSplits() where counts[split, default: 0] == 0 {
      throw InputError(
        path: path, place: "split.\(split.rawValue)", expected: "at least one \(by == .frame ? "frame" : "run")",
        found: "none among \(present.count) runs; add runs, set another seed, give \(split.rawValue) a share of 0, "
          + "assign runs under split.runs, or set allowEmpty: true")
    }
  }
}
