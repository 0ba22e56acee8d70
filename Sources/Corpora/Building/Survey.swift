import Frames
import Host

/// What all raw files hold: which pictures there will be, with identity, labels and split, before any is decoded.
///
/// Mistakes in labels, joins and splits so come to light before hours of decoding. About 60 bytes a picture are kept.
struct Survey: Sendable {
  struct File: Sendable {
    var raw: OpenedSource.RawFile
    var checksum: String
    var events: Int
    /// Its part of the source's units.
    var units: Range<Int>
    var picturesPerUnit: Int
  }

  struct Unit: Sendable {
    var stored: FileSurvey.Unit
    var split: Split
  }

  struct Source: Sendable {
    var opened: OpenedSource
    var files: [File] = []
    /// In the order of the files and their events; numbers refer to the lists of the source.
    var units: [Unit] = []
    var unitEvents: [Int32] = []
    var experiments = Names(), detectors = Names()
    var labelSets: [[String: String]] = []
    var dropped: [String: Int] = [:]
    var skipped: [String: Int] = [:]
    /// Events that recorded the source, and those of them that reading lost to damage.
    var recorded = 0
    var damaged = DamagedEvents()

    /// Throws where more is lost than the recipe allows; `others` could not be decoded.
    func requireLittleDamage(beside others: DamagedEvents? = nil) throws(InputError) {
      var all = damaged
      if let others { all.add(others) }
      let recipe = opened.recipe
      guard let first = all.first, !recipe.damageLimit.allows(all.count, of: recorded) else { return }
      throw InputError(
        path: opened.files[0].match.path, place: "source \(recipe.name), damageLimit",
        expected: "at most \(recipe.damageLimit) damaged events (a higher limit takes what is left)",
        found: "\(all.count) of \(recorded); the first: \(first)")
    }

    func id(of unit: Unit) -> EventID {
      EventID(
        experiment: experiments.all[Int(unit.stored.experiment)], run: unit.stored.run, seconds: unit.stored.seconds,
        nanoseconds: unit.stored.nanoseconds, fiducial: unit.stored.fiducial)
    }

    /// Positions in the file of the events that make unit `index`; one but for stacks.
    func events(ofUnit index: Int) -> ArraySlice<Int32> {
      unitEvents[index * opened.recipe.stack..<(index + 1) * opened.recipe.stack]
    }
  }

  /// Texts that are stored once.
  struct Names: Sendable {
    private(set) var all: [String] = []
    private var numbers: [String: Int32] = [:]

    mutating func number(of name: String) -> Int32 {
      if let known = numbers[name] { return known }
      all.append(name)
      numbers[name] = Int32(all.count - 1)
      return Int32(all.count - 1)
    }
  }

  var sources: [Source] = []
  var unitCount: Int { sources.reduce(0) { $0 + $1.units.count } }

  /// Joins the surveys of files, which `files(source)` gives in order; it is not asked for more once `limit` is reached.
  init(
    _ recipe: CorpusRecipe, _ opened: [OpenedSource], surveyOf: (_ source: Int, _ file: Int) throws(InputError) -> FileSurvey,
    checksumOf: (_ source: Int, _ file: Int) throws(InputError) -> String
  ) throws(InputError) {
    for (number, source) in opened.enumerated() {
      var joiner = SurveyJoiner(Source(opened: source), recipe)
      for file in source.files.indices {
        if joiner.isFull {
          joiner.addUnread(file, checksum: try checksumOf(number, file))
        } else {
          joiner.add(try surveyOf(number, file), of: file)
        }
      }
      try joiner.requireUnits()
      try joiner.result.requireLittleDamage()
      sources.append(joiner.result)
    }
    var counts: [Split: Int] = [:], splits: [RunKey: Split] = [:]
    for source in sources {
      for unit in source.units {
        let run = RunKey(experiment: source.experiments.all[Int(unit.stored.experiment)], run: unit.stored.run)
        counts[unit.split, default: 0] += 1
        let other = splits.updateValue(unit.split, forKey: run)
        guard recipe.split.by != .darkSet || other == nil || other == unit.split else {
          throw InputError(
            path: recipe.name, place: "split", expected: "run \(run) in one split (its sources have dark sets of different first runs: "
              + "name the run under split.runs)", found: "\(other?.rawValue ?? "") and \(unit.split.rawValue)")
        }
      }
    }
    try recipe.split.requireFilled(counts, runs: Set(splits.keys), path: recipe.name)
  }
}

/// Puts the files of one source in a row: block runs, splits and the limit count across files.
private struct SurveyJoiner {
  var result: Survey.Source
  private let corpus: CorpusRecipe
  private let recipe: SourceRecipe
  private var perExperiment: [String: Int] = [:]
  private var seen: Set<String> = []
  private var labelNumbers: [[String: String]: Int32] = [:]
  private var splits: [RunKey: Split] = [:]

  init(_ source: Survey.Source, _ corpus: CorpusRecipe) {
    (result, self.corpus, recipe) = (source, corpus, source.opened.recipe)
  }

  var isFull: Bool { recipe.limit.map { result.units.count >= $0 } ?? false }

  mutating func addUnread(_ file: Int, checksum: String) {
    result.files.append(
      Survey.File(
        raw: result.opened.files[file], checksum: checksum, events: 0, units: result.units.count..<result.units.count,
        picturesPerUnit: 1))
  }

  mutating func add(_ survey: FileSurvey, of file: Int) {
    let raw = result.opened.files[file], first = result.units.count
    let count = recipe.limit.map { min(survey.units.count, $0 - first) } ?? survey.units.count
    let experiments = survey.experiments.map { result.experiments.number(of: $0) }
    let detectors = survey.detectors.map { result.detectors.number(of: $0) }
    let labels = survey.labelSets.map { labelNumber(of: $0) }
    for (i, stored) in survey.units.prefix(count).enumerated() {
      var unit = stored
      (unit.experiment, unit.detector, unit.labels) =
        (experiments[Int(unit.experiment)], detectors[Int(unit.detector)], labels[Int(unit.labels)])
      let experiment = result.experiments.all[Int(unit.experiment)]
      if case .block(let length) = recipe.run {
        unit.run = perExperiment[experiment, default: 0] / length
        perExperiment[experiment, default: 0] += 1
      }
      let key = RunKey(experiment: experiment, run: unit.run)
      let split: Split
      if corpus.split.by == .run, let known = splits[key] {
        split = known
      } else {
        split = corpus.split.split(
          of: key, frame: "\(raw.match.name)/\(survey.unitEvents[i * recipe.stack])",
          darkSet: unit.darkSet < 0 ? nil : Int(unit.darkSet), seed: corpus.seed)
        splits[key] = split
      }
      result.units.append(Survey.Unit(stored: unit, split: split))
    }
    result.unitEvents += survey.unitEvents.prefix(count * recipe.stack)
    result.files.append(
      Survey.File(
        raw: raw, checksum: survey.checksum, events: survey.events, units: first..<first + count,
        picturesPerUnit: survey.picturesPerUnit))
    result.dropped.merge(survey.dropped, uniquingKeysWith: +)
    result.skipped.merge(survey.skipped, uniquingKeysWith: +)
    if seen.count < 20 { seen.formUnion(survey.seen) }
    result.recorded += survey.recorded
    result.damaged.add(survey.damaged)
  }

  private mutating func labelNumber(of labels: [String: String]) -> Int32 {
    if let known = labelNumbers[labels] { return known }
    result.labelSets.append(labels)
    labelNumbers[labels] = Int32(result.labelSets.count - 1)
    return Int32(result.labelSets.count - 1)
  }

  func requireUnits() throws(InputError) {
    guard result.units.isEmpty else { return }
    let reasons = result.dropped.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    let payloads = seen.isEmpty ? "no payloads" : "payloads \(seen.sorted().joined(separator: ", "))"
    throw InputError(
      .missing, path: result.opened.files[0].match.path, place: "source \(recipe.name)", expected: "at least one picture",
      found: ([payloads] + reasons).joined(separator: "; "))
  }
}
