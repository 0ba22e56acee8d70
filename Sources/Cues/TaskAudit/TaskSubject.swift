import Corpora
import Evaluation
import Foundation
import Host
import Pretexts
import Tensors
import Training

/// What the controls of one run look at: its network, its task (or one of several), its corpus, and how many examples they may ask for.
public final class TaskSubject {
  public let examiner: TaskExaminer
  public let corpus: Corpus
  public let recipe: TrainingRecipe
  /// Pictures of the training split, of the split that judges the run, and frames without beam outside of the training split.
  public let trained: Pictures, held: Pictures, darks: Pictures
  /// Those of the training split that the run learnt from: a handful, where its task asks for that.
  public let learnt: Pictures
  /// Whether every frame without beam has a class that only such frames have, so that to answer it is to say that it is dark.
  public let darkIsAnAnswer: Bool
  /// The twins of the held-out pictures, one by one, where a twin corpus is at hand.
  public let twins: (corpus: TwinCorpus, pictures: Pictures)?
  /// Examples a control asks for.
  public let examples: Int
  public let acceptance: AuditAcceptance
  /// What judges the run.
  public let split: Split
  public let seed: UInt64
  /// The most steps that a positive control trains a fresh network for; 0 for none.
  public let plantedSteps: Int
  public let progress: ProgressHandler
  /// The headline: answers on the held-out pictures, each asked with every answer where these are few.
  public private(set) lazy var headline = Result { try examiner.sheet(of: held, count: examples, paired: true, seed: seed) }

  /// - Parameters:
  ///   - part: which of several tasks is asked; the first where left out.
  ///   - plantedSteps: by the recipe where left out.
  ///   - twin: a corpus of the same events with a turned detector, for `MirroredGeometry`; see `TwinCorpus`.
  /// Throws when the split has no pictures that the recipe uses, or `twin` is none.
  public init(
    _ checkpoint: Checkpoint, path: String, task: (any PretextTask)? = nil, part: String? = nil, corpus: Corpus, twin: Corpus? = nil,
    split: Split = .test, examples: Int? = nil, plantedSteps: Int? = nil, acceptance: AuditAcceptance = AuditAcceptance(), seed: UInt64 = 0,
    progress: @escaping ProgressHandler = { _ in }
  ) throws {
    let examiner = try TaskExaminer(checkpoint, path: path, task: task, part: part)
    self.examiner = examiner
    recipe = checkpoint.description.recipe
    (self.corpus, self.acceptance, self.split, self.seed, self.progress) = (corpus, acceptance, split, seed, progress)
    self.plantedSteps = plantedSteps ?? TaskSubject.plantedSteps(for: recipe)
    self.examples = examples ?? acceptance.examples
    let filter = recipe.filter, label = examiner.whole.label, needs = examiner.whole.needs, usesPanels = examiner.whole.usesPanels
    let classes = try TaskSubject.labels(checkpoint, path: path, examiner.whole)
    func usable(_ record: Record) -> Bool { label.map { record.labels[$0].map(classes.contains) ?? false } ?? true }
    // Those with one `key` err together.
    func pictures(_ records: [Record], of corpus: Corpus, by key: (Record) -> String = { "\($0.run)" }) throws(InputError) -> Pictures {
      let keys = records.map(key), number = Dictionary(uniqueKeysWithValues: Set(keys).sorted().enumerated().map { ($1, $0) })
      let reader = try ImageReader(corpus, records)
      // Few enough are kept; the others are read each time.
      let kept = try records.indices.prefix(TaskSubject.kept(corpus)).concurrentMap { index throws(InputError) in try reader.image(index) }
      let signals = needs.contains(.signal) ? try SignalScale.bySource(of: corpus, records) : [:]
      let panelMaps = usesPanels ? try PanelMap.byGeometry(of: corpus, records) : [:]
      let neighbours = needs.contains(.neighbour) && !records.isEmpty
        ? try ShotNeighbour.all(of: records, path: corpus.folder + "/records.csv") : []
      @Sendable func image(_ index: Int) throws(InputError) -> MaskedImage {
        try (index < kept.count ? kept[index] : reader.image(index)).maskedImage
      }
      return Pictures(shots: keys.map { number[$0]! }, sources: records.map(\.source)) { index throws(InputError) in
        let record = records[index]
        var shot = Shot(
          try image(index), answer: label.flatMap { record.labels[$0] }.flatMap { classes.firstIndex(of: $0) }, signal: signals[record.source],
          panels: panelMaps[record.geometry])
        if !neighbours.isEmpty {
          let neighbour = neighbours[index]
          shot.neighbour = .init(image: try image(neighbour.index), isLater: neighbour.isLater)
        }
        return shot
      }
    }
    // Where being dark is the answer, as in classes that no other frame has, dark frames are pictures of the task like any other; not so where other
    // tasks are asked on the same pictures.
    let lit = (examiner.part.isEmpty ? label : nil).map { label in Set(corpus.records.filter { filter.accepts($0) && $0.labels["beam"] != "dark" }.compactMap { $0.labels[label] }) }
    func isAnswerOfDarks(_ record: Record) -> Bool {
      guard let lit, let answer = label.flatMap({ record.labels[$0] }) else { return false }
      return !lit.contains(answer)
    }
    let held = corpus.records(in: split).filter {
      filter.accepts($0) && usable($0) && ($0.labels["beam"] != "dark" || isAnswerOfDarks($0))
    }
    // One picture cannot be told from others.
    guard held.count > (examiner.question.isAskedAmongABatch ? 1 : 0) else {
      throw InputError(path: corpus.folder, place: "split \(split)", expected: "pictures that the run's recipe includes", found: "\(held.count)")
    }
    self.held = try pictures(held, of: corpus)
    trained = try pictures(corpus.records(in: .train).filter { filter.accepts($0) && usable($0) }, of: corpus)
    learnt = examiner.whole.frameChoice == nil
      ? trained
      : try pictures(ImageSet(corpus, split: .train, include: recipe.include, exclude: recipe.exclude, task: examiner.whole).records, of: corpus)
    // Whatever else the recipe leaves out is no control either.
    let dark = DarkFrames.select(corpus.records.filter { $0.split != .train && filter.ignoring("beam").accepts($0) && usable($0) })
    let asked = dark.filter { !isAnswerOfDarks($0) }
    // One set of darks leaves one pattern, in however many runs it was used. A dark that is alone in its run has no neighbour to be compared with.
    darks = try pictures(needs.contains(.neighbour) ? ShotNeighbour.accompanied(asked) : asked, of: corpus) { record in
      record.darkSet.isEmpty ? "\(record.run)" : record.darkSet
    }
    darkIsAnAnswer = asked.isEmpty && !dark.isEmpty
    if let twin {
      let found = try TwinCorpus(
        twin, of: corpus, held, askedAbout: examiner.whole.answers, minimumWeight: examiner.scaling.minimumWeight)
      twins = (found, try pictures(found.records, of: twin))
    } else {
      twins = nil
    }
  }

  /// As many as the run itself took, which is what its settings had, but between 150 and 1200.
  static func plantedSteps(for recipe: TrainingRecipe) -> Int { min(1200, max(150, recipe.steps)) }

  /// Another of several tasks, on the same pictures.
  public init(_ other: TaskSubject, part: String, path: String) throws(InputError) {
    examiner = try TaskExaminer(other.examiner.checkpoint, path: path, task: other.examiner.whole, part: part)
    (corpus, recipe, trained, learnt) = (other.corpus, other.recipe, other.trained, other.learnt)
    (held, darks, twins) = (other.held, other.darks, other.twins)
    darkIsAnAnswer = other.darkIsAnAnswer
    (examples, acceptance, split, seed) = (other.examples, other.acceptance, other.split, other.seed)
    (plantedSteps, progress) = (other.plantedSteps, other.progress)
  }

  /// The values of the label that a task asks for, in the order of its answers.
  private static func labels(_ checkpoint: Checkpoint, path: String, _ whole: any PretextTask) throws(InputError) -> [String] {
    guard let asking = TaskExaminer.parts(of: whole).first(where: { $0.task.label != nil }) else { return [] }
    return try TaskExaminer(checkpoint, path: path, task: whole, part: asking.name).classes
  }

  /// Pictures of a corpus that 256 MiB hold.
  private static func kept(_ corpus: Corpus) -> Int {
    (256 << 20) / StoredImage.byteCount(height: corpus.manifest.height, width: corpus.manifest.width)
  }

  /// `count` made-up pictures of no run; tasks that take their answers from the corpus get each class in turn.
  public func made(_ count: Int, _ make: @escaping @Sendable (Int) throws(InputError) -> MaskedImage) -> Pictures {
    let classes = examiner.classes.count
    let answers = examiner.task.label == nil ? [] : (0..<count).map { $0 % classes }
    return Pictures(runs: Array(repeating: 0, count: count), answers: answers, make)
  }

  /// Asks for examples of `pictures` that must not be answered.
  func mustBeChance(_ control: any TaskControl.Type, _ pictures: Pictures) throws -> ControlFinding {
    guard pictures.count > (examiner.question.isAskedAmongABatch ? 1 : 0) else {
      return ControlFinding(control, .undecided, "There are too few such pictures: \(pictures.count).")
    }
    return mustBeChance(control, try examiner.sheet(of: pictures, count: examples, seed: seed))
  }

  /// The finding about answers that must be at chance: all together, and those about the pictures of each source, since what tells the answer of one
  /// detector may not be seen among the pictures of others.
  package func mustBeChance(_ control: any TaskControl.Type, _ sheet: AnswerSheet) -> ControlFinding {
    let score = sheet.controlScore("accuracy, \(control.name)")
    guard !examiner.task.asksAboutNoise else {
      return ControlFinding(
        control, .notApplicable, "The task asks about noise, gain or sharpness, which these frames show as well.", score: score)
    }
    guard sheet.chance <= 1 - acceptance.tolerance else {
      return ControlFinding(control, .notApplicable, "All these frames have one and the same answer.", score: score)
    }
    let (meaning, remedies) = examiner.question.isAskedAmongABatch ? control.findingViews : (control.meaning, control.remedies)
    var finding = judged(control, sheet, meaning: meaning)
    let sources = Set(sheet.sources).sorted()
    for source in sources.count > 1 ? sources : [] {
      let own = judged(control, sheet.of(source: source), of: source, meaning: meaning)
      if own.verdict.isWorse(than: finding.verdict) { finding = own }
    }
    if finding.verdict == .leak { finding.remedies = remedies }
    return finding
  }

  /// Answers held against chance.
  /// - Parameter source: the one that they are about, where there are several.
  func judged(_ control: any TaskControl.Type, _ sheet: AnswerSheet, of source: String? = nil, meaning: String? = nil) -> ControlFinding {
    var finding = ControlFinding(
      control, mustBeChance: sheet.controlScore("accuracy, \(control.name)" + (source.map { ", \($0)" } ?? "")), acceptance,
      sigmas: source == nil ? AuditAcceptance.sigmas : AuditAcceptance.sigmasOfSource, onlyAbove: !examiner.isBlindlyEven, meaning: meaning)
    if let source { finding.statement = "Of \(source) alone: " + finding.statement }
    return finding
  }
}
