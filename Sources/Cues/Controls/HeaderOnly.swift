import Corpora
import Evaluation
import Foundation
import Host
import Tensors
import Training

/// The answers of the training stream, told without any picture: from the record's header, the frame number and the place in the batch.
public struct HeaderOnly: TaskControl {
  public static let name = "header only"
  public static let meaning = "the answer goes with the record or with the order of the stream"
  public static let remedies: [Remedy] = [.labels]

  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let recipe = subject.recipe, examiner = subject.examiner
    if case .explaining = examiner.question.rule {
      return ControlFinding(HeaderOnly.self, .notApplicable, "What is asked for is the picture itself: no answer is drawn that could go with a record.")
    }
    let augmentations = try recipe.chosenAugmentations(path: recipe.name)
    let images = try ImageSet(
      subject.corpus, split: .train, include: recipe.include, exclude: recipe.exclude, task: examiner.whole, augmentations: augmentations)
    let stream = BatchMaker(
      images: images, task: examiner.whole, augmentations: augmentations, scaling: examiner.scaling, seed: recipe.seed, batch: recipe.batch)
    var records: [Record] = [], places: [Int] = [], answers: [[Float]] = [], truths: [Int] = [], steps: [Int] = []
    // Further than the run went, where it was short: the order of the stream goes on alike.
    var step = 0
    while records.count < max(2 * recipe.batch, subject.examples) {
      let indices = try stream.indices(step: step)
      if !examiner.question.isAskedAmongABatch {
        let fields = examiner.ownFields(try stream.training(step: step))
        for place in indices.indices {
          let own = fields.mapValues { $0[first: place] }
          answers.append(own[examiner.target]!.elements)
          truths.append(TaskExaminer.truth(own, examiner.question))
        }
      }
      for (place, index) in indices.enumerated() {
        records.append(images.records[index])
        places.append(place)
        steps.append(step)
      }
      step += 1
    }
    guard !examiner.question.isAskedAmongABatch else { return HeaderOnly.retrieval(records, steps) }
    let header = HeaderFeatures.vectors(records), numbers = FrameNumberFeatures.vectors(records)
    let rows = records.indices.map { i -> [Float] in
      [header[i], numbers[i], HeaderOnly.places(places[i], of: recipe.batch), HeaderOnly.places(steps[i], of: step)].flatMap { $0 }
    }
    if case .within = examiner.question.rule { return HeaderOnly.finding(rows, answers, steps, examiner, subject.acceptance) }
    // Records whose label the corpus gives come again with the same answer, and labels that drift tell a run's shots by those around them: no run is
    // fitted in one half and tried in the other.
    let ids = Dictionary(records.map(\.id).enumerated().map { ($1, $0) }) { first, _ in first }
    let runs = Dictionary(uniqueKeysWithValues: Set(records.map(\.run)).sorted().enumerated().map { ($1, $0) }), ofRuns = records.map { runs[$0.run]! }
    return try HeaderOnly.finding(
      rows, truths, examiner.isBlindlyEven ? steps : ofRuns, pictures: records.map { ids[$0.id]! }, runs: ofRuns, classes: examiner.classes,
      subject.acceptance, seed: subject.seed, isDrawn: examiner.isBlindlyEven)
  }

  /// A linear probe fitted on half of the groups and tried on the other half, both ways.
  ///
  /// - Parameter groups: the steps of the stream, or the runs.
  /// - Parameter pictures: of which record each is; each of its own where left out.
  /// - Parameter runs: of each; all of one where left out.
  /// - Parameter isDrawn: whether the task draws its answers evenly. Of those that the corpus gives every class counts alike, however rare it is.
  package static func finding(
    _ rows: [[Float]], _ truths: [Int], _ groups: [Int], pictures: [Int]? = nil, runs: [Int]? = nil, classes: [String], _ acceptance: AuditAcceptance,
    seed: UInt64, isDrawn: Bool = true
  ) throws -> ControlFinding {
    let examples = Embeddings(vectors: Tensor([rows.count, rows[0].count], rows.flatMap { $0 }), labels: truths, classes: classes, groups: groups)
    let order = Dictionary(uniqueKeysWithValues: Set(groups).sorted().enumerated().map { ($1, $0) }), halves = groups.map { order[$0]! % 2 }
    var sheet = isDrawn ? AnswerSheet(classes: classes.count) : AnswerSheet(.mostFrequent)
    let present = (0..<2).map { half in Set(truths.indices.filter { halves[$0] == half }.map { truths[$0] }) }
    // A class that all runs of one half lack cannot be said there: whether its header tells it is not known.
    guard isDrawn || present[0] == present[1] else {
      return ControlFinding(HeaderOnly.self, .undecided, "Some answers belong to single runs, so no run can be answered by others: the run tells them.")
    }
    for half in 0..<2 {
      let fitting = truths.indices.filter { halves[$0] == half }, trying = truths.indices.filter { halves[$0] != half }
      let train = examples.subset(fitting)
      guard Set(train.labels).count > 1, !trying.isEmpty else {
        return ControlFinding(HeaderOnly.self, .undecided, "The training stream is too short to be asked, or is of one run.")
      }
      // Strong: with a hundred columns that say nothing, little is fitted.
      let guesses = try LinearProbe(strengths: [1e-1], balanced: !isDrawn).predictions(train: train, test: examples.subset(trying), seed: seed).labels
      for (guess, index) in zip(guesses, trying) {
        sheet.append(guess == truths[index] ? 1 : 0, picture: pictures?[index] ?? index, run: runs?[index] ?? 0, truth: truths[index])
      }
    }
    return ControlFinding(HeaderOnly.self, mustBeChance: sheet.controlScore("accuracy, \(HeaderOnly.name)"), acceptance, onlyAbove: !isDrawn)
  }

  /// Numbers, by a linear template fitted on half of the steps and tried on the other half, both ways.
  private static func finding(
    _ rows: [[Float]], _ answers: [[Float]], _ steps: [Int], _ examiner: TaskExaminer, _ acceptance: AuditAcceptance
  ) -> ControlFinding {
    var sheet: AnswerSheet?
    for half in 0..<2 {
      // Of the steps that are fitted, every second one tells the slope.
      var sums = NumberTemplate.Sums(width: rows[0].count, answers: answers[0].count)
      for i in rows.indices where steps[i] % 4 == half { sums.add(rows[i], answers[i]) }
      guard sums.count > 1 else { break }
      var template = NumberTemplate(sums)
      template.calibrate(rows.indices.filter { steps[$0] % 4 == half + 2 }.map { (template.scores(rows[$0]), answers[$0]) })
      let trying = rows.indices.filter { steps[$0] % 2 != half }
      let examples = trying.map { index in
        TaskExaminer.Example(
          fields: [examiner.target: Tensor([answers[index].count], answers[index])], truth: 0, picture: index, run: 0)
      }
      guard !examples.isEmpty else { break }
      let own = examiner.judged(trying.map { index in
        let answer = template.answer(rows[index])
        return Tensor([answer.count], answer)
      }, examples)
      if sheet == nil { sheet = own } else { sheet!.append(own) }
    }
    guard let sheet else { return ControlFinding(HeaderOnly.self, .undecided, "The training stream is too short to be asked.") }
    return ControlFinding(HeaderOnly.self, mustBeChance: sheet.score("accuracy, \(HeaderOnly.name)"), acceptance, onlyAbove: true)
  }

  /// Each picture is its own answer. What knowing its run, unit and panel would find is told, not judged.
  private static func retrieval(_ records: [Record], _ steps: [Int]) -> ControlFinding {
    struct Header: Hashable {
      let run: RunKey, unit: String, panel: Int, step: Int
    }
    let headers = zip(records, steps).map { Header(run: $0.run, unit: $0.unit, panel: $0.panel, step: $1) }
    // One of those that share it.
    let share = Double(Set(headers).count) / Double(headers.count)
    return ControlFinding(
      HeaderOnly.self, .notApplicable,
      "Each picture is its own answer, and none is drawn; whoever knew run, unit and panel alone would find \(decimals(share)) in the training batches.")
  }

  /// A place within its whole: tenths, and the number modulo small periods.
  package static func places(_ place: Int, of whole: Int) -> [Float] {
    var row = [Float](repeating: 0, count: 10)
    row[min(9, 10 * place / max(1, whole))] = 1
    for modulus in [2, 3, 4, 8] { row += (0..<modulus).map { $0 == place % modulus ? 1 : 0 } }
    return row
  }
}
