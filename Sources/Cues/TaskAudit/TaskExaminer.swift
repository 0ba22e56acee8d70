import Corpora
import Engine
import Evaluation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// A trained network with its task, ready to be examined on any pictures. The task itself makes the examples and its own question judges
/// the answers, so that every control goes through the very code that the training went through. Belongs to one thread.
///
/// Of several tasks that were trained at once an examiner asks one.
public final class TaskExaminer {
  public let checkpoint: Checkpoint
  /// What is asked.
  public let task: any PretextTask
  /// Which of several tasks that is; empty for a task by itself.
  public let part: String
  /// What the recipe trains: `task`, or several with it.
  public let whole: any PretextTask
  /// What the task calls its answers.
  public let classes: [String]
  /// What is right.
  public let question: Question
  /// Examples a batch: as it was trained, up to 256 where an answer is not looked for among the batch.
  public let batchSize: Int
  private let path: String
  private let backbone: any Backbone
  private var plans: [Scope.Mode: (plan: Plan, program: Program)] = [:]
  private lazy var weights = TaskExaminer.laidOut(checkpoint.weights, for: network(batch: 1, mode: .inference).program)
  /// What a task of numbers says that guessing reaches; one that does not is held against never being right, which is the strictest.
  private lazy var blindShare = task.chance(batch: batchSize)?.share ?? 0
  /// Moved by training-mode runs, which are none of the network's business.
  private var gradients: Weights?

  /// The tasks of which one consists, each with its name; itself under no name where it is one.
  public static func parts(of task: any PretextTask) -> [(name: String, task: any PretextTask)] {
    (task as? Multi).map { $0.keyed.map { ($0.key, $0.part.task) } } ?? [("", task)]
  }

  /// - Parameters:
  ///   - task: in place of the catalogue's task of that name.
  ///   - part: which of several tasks is asked; the first where left out.
  /// Throws where the checkpoint's task or backbone cannot be had, or where a task asks for one of its classes and has none to tell apart.
  public init(
    _ checkpoint: Checkpoint, path: String, task: (any PretextTask)? = nil, part: String? = nil, batch: Int? = nil
  ) throws(InputError) {
    let recipe = checkpoint.description.recipe
    let whole: any PretextTask
    if let task { whole = task } else { whole = try recipe.task.task(path: path) }
    let parts = TaskExaminer.parts(of: whole)
    guard let own = parts.first(where: { part == nil || $0.name == part }) else {
      throw InputError(path: path, place: "recipe.task", expected: "one of \(parts.map(\.name).joined(separator: ", "))", found: part ?? "")
    }
    (self.checkpoint, self.path, self.whole, self.part, self.task) = (checkpoint, path, whole, own.name, own.task)
    backbone = try recipe.backbone.backbone(path: path)
    let all = checkpoint.description.classes, prefix = own.name + ": "
    let classes = own.name.isEmpty ? all : all.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    self.classes = classes
    let (judged, width) = TaskExaminer.judged(
      own.task, place: { TaskExaminer.place(of: own.name, whole, $0) }, backbone, side: checkpoint.description.side, classes: classes.count)
    if judged.rule == .largest, classes.count < 2 || width != classes.count || judged.target == nil {
      throw InputError(
        path: path, place: "recipe.task", expected: "a task with two or more classes and a logit for each",
        found: "\(recipe.task.name): \(classes.count) classes, \(width) logits")
    }
    question = judged
    // As large as it was trained, which normalisation over a batch depends on; larger ones would take the memory of all.
    batchSize = batch ?? (judged.isAskedAmongABatch ? recipe.batch : min(recipe.batch, 256))
  }

  public var side: Int { checkpoint.description.side }
  public var scaling: InputScaling { checkpoint.description.scaling }

  /// Whether the task draws its answers evenly: then no detector without information is off chance on either side. Where the corpus gives the
  /// answers, or where answers are numbers or codes, a blind one may well be below it.
  public var isBlindlyEven: Bool { question.rule == .largest && task.label == nil }

  /// The field with the right answers. Traps for a question that has none.
  var target: String { question.target! }

  /// What guessing reaches among `group` examples.
  private func guess(group: Int) -> AnswerSheet.Guess {
    switch question.rule {
    case .largest: task.label == nil ? .share(1 / Double(classes.count)) : .mostFrequent
    case .retrieval: .share(1 / Double(max(1, group)))
    case .within, .explaining:
      .share(blindShare)
    }
  }

  /// One example as the task made it.
  public struct Example: Sendable {
    public let fields: [String: Tensor<Float>]
    /// The right answer, an index into the classes; of numbers, which of them are positive, as bits; 0 where there is neither.
    public let truth: Int
    /// Which picture and which run it is of.
    public let picture: Int
    public let run: Int
    public let source: String
    /// Which examples it is asked among; `nil` where it is asked by itself.
    public var group: Int?

    public init(fields: [String: Tensor<Float>], truth: Int, picture: Int, run: Int, source: String = "", group: Int? = nil) {
      (self.fields, self.truth, self.picture, self.run, self.source, self.group) = (fields, truth, picture, run, source, group)
    }
  }

  /// Examples number `range` of `pictures`, in the order of `ExampleOrder`. Which answer an example has is the task's draw, from a generator of
  /// (seed, picture, look) alone; `paired` shows each picture with every answer instead, where these are few (`PretextTask.variants`).
  public func examples(
    of pictures: Pictures, _ range: Range<Int>, paired: Bool = false, seed: UInt64 = 0
  ) throws(InputError) -> [Example] {
    guard pictures.count > 0 else { return [] }
    let shapes = task.fields(side: side, classes: classes.count), places = order(of: pictures, paired: paired).places(range, seed: seed)
    let (task, scaling, question) = (self.task, self.scaling, self.question)
    return try range.concurrentMap { index throws(InputError) -> Example in
      let place = places[index - range.lowerBound]
      var random = Philox(seed: seed, 70, UInt64(place.picture), UInt64(place.look)), batch = ExampleBatch(shapes, count: 1)
      let context = ExampleContext(scaling: scaling, isAugmenting: false, variant: place.variant)
      task.makeExample(from: try pictures.shot(place.picture), in: context, using: &random, into: &batch, at: 0)
      let fields = Dictionary(uniqueKeysWithValues: shapes.map { ($0, batch.fields[$0]!.reshaped(to: $1)) })
      return Example(
        fields: fields, truth: TaskExaminer.truth(fields, question), picture: place.picture, run: pictures.runs[place.picture],
        source: pictures.sources[place.picture], group: place.group)
    }
  }

  /// Which pictures are asked about one after the other.
  func order(of pictures: Pictures, paired: Bool = false) -> ExampleOrder {
    ExampleOrder(
      runs: pictures.runs, variants: paired ? task.variants : 1, batch: question.isAskedAmongABatch ? batchSize : nil, runsABatch: whole.runsABatch)
  }

  /// Whether examples can be sorted by their answers: `Example.truth` says something.
  var hasAnswersToSortBy: Bool {
    switch question.rule {
    case .largest, .within: true
    case .retrieval, .explaining: false
    }
  }

  /// For answers to examples that are asked by themselves.
  var emptySheet: AnswerSheet { AnswerSheet(guess(group: batchSize)) }

  /// About `count` examples of pictures, answered, a block at a time so that memory does not grow with `count`: whole batches where they are
  /// asked among a batch, and every answer of a picture where they are paired.
  public func sheet(
    of pictures: Pictures, count: Int, paired: Bool = false, seed: UInt64 = 0
  ) throws -> AnswerSheet {
    let order = order(of: pictures, paired: paired), unit = order.unit
    var sheet = AnswerSheet(guess(group: order.group ?? batchSize))
    guard pictures.count > 0 else { return sheet }
    let total = max(1, (count + unit - 1) / unit) * unit, block = max(1, 1024 / unit) * unit
    for first in Swift.stride(from: 0, to: total, by: block) {
      let part = first..<min(total, first + block)
      sheet.append(try answered(try examples(of: pictures, part, paired: paired, seed: seed)))
    }
    return sheet
  }

  /// What the network says of examples, judged by the task's own question.
  ///
  /// In training mode normalisation uses the batch's own statistics: which examples are answered together decides what the answers are, and a
  /// last batch that is not full is left out.
  /// - Parameter company: the order in which examples are answered, as indices; theirs where left out. Who is asked among whom stays.
  public func answered(_ examples: [Example], mode: Scope.Mode = .inference, company: [Int]? = nil) throws -> AnswerSheet {
    let rows = try answers(to: examples, mode: mode, order: company ?? Array(examples.indices)), groups = groups(of: examples)
    var sheet = AnswerSheet(guess(group: groups.first?.count ?? batchSize))
    for members in groups {
      let own = members.filter { rows[$0] != nil }
      guard !own.isEmpty, !question.isAskedAmongABatch || own.count == members.count else { continue }
      let fields = Dictionary(uniqueKeysWithValues: question.fields.map { name in (name, Tensor.stacked(own.map { examples[$0].fields[name]! })) })
      let credits = question.credits(Tensor.stacked(own.map { rows[$0]! }), fields, first: own.count)
      for (credit, index) in zip(credits, own) { sheet.append(credit, examples[index]) }
    }
    return sheet
  }

  /// How `rows`, one an example, would be judged in the network's place.
  func judged(_ rows: [Tensor<Float>], _ examples: [Example]) -> AnswerSheet {
    var sheet = AnswerSheet(guess(group: groups(of: examples).first?.count ?? batchSize))
    for members in groups(of: examples) {
      let fields = Dictionary(uniqueKeysWithValues: question.fields.map { name in (name, Tensor.stacked(members.map { examples[$0].fields[name]! })) })
      let credits = question.credits(Tensor.stacked(members.map { rows[$0] }), fields, first: members.count)
      for (credit, index) in zip(credits, members) { sheet.append(credit, examples[index]) }
    }
    return sheet
  }

  /// Examples that are judged together: those of one group, or 256 of those that are judged by themselves.
  private func groups(of examples: [Example]) -> [[Int]] {
    guard question.isAskedAmongABatch else {
      return Swift.stride(from: 0, to: examples.count, by: 256).map { Array($0..<min(examples.count, $0 + 256)) }
    }
    return Dictionary(grouping: examples.indices) { examples[$0].group ?? 0 }.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The network's numbers for each example; `nil` where a batch was not full in training mode.
  private func answers(to examples: [Example], mode: Scope.Mode, order: [Int]) throws -> [Tensor<Float>?] {
    var rows = [Tensor<Float>?](repeating: nil, count: examples.count)
    for start in Swift.stride(from: 0, to: order.count, by: batchSize) {
      let count = min(batchSize, order.count - start)
      if mode == .training, count < batchSize { break }
      let chosen = (0..<batchSize).map { examples[order[start + min($0, count - 1)]] }
      let fields = Dictionary(uniqueKeysWithValues: chosen[0].fields.keys.map { name in (name, Tensor.stacked(chosen.map { $0.fields[name]! })) })
      let values = try self.values(fields, mode: mode)
      for row in 0..<count { rows[order[start + row]] = values[first: row] }
    }
    return rows
  }

  private func values(_ fields: [String: Tensor<Float>], mode: Scope.Mode) throws -> Tensor<Float> {
    if plans[mode] == nil {
      let program = network(batch: batchSize, mode: mode).program
      plans[mode] = (try Plan(program, precision: .float32), program)
    }
    let (plan, program) = plans[mode]!
    guard mode == .training else { return try plan.evaluate(fields, weights)["values"]! }
    // A copy: running averages move in training mode.
    var weights = weights
    if gradients == nil { gradients = Weights(program.parameters) }
    return try plan.run(fields.merging(program.maskFields(seed: 0, step: 0)) { own, _ in own }, &weights, gradients: &gradients!)["values"]!
  }

  private func network(batch: Int, mode: Scope.Mode) -> (program: Program, question: Question) {
    let (scope, inputs, objective) = TaskExaminer.built(
      task, place: { TaskExaminer.place(of: part, whole, $0) }, backbone, side: side, classes: classes.count, batch: batch, mode: mode)
    let program = Program(
      inputs: inputs.merging(scope.inputs) { own, _ in own }, parameters: scope.parameters, outputs: ["values": objective.logits],
      updates: mode == .training ? scope.updates : [:])
    return (program, objective.judged[0].question)
  }

  /// The first question of a task, and how many classes its numbers tell apart.
  private static func judged(
    _ task: any PretextTask, place: (Scope) -> Scope, _ backbone: any Backbone, side: Int, classes: Int
  ) -> (question: Question, classes: Int) {
    let objective = built(task, place: place, backbone, side: side, classes: classes, batch: 1, mode: .inference).objective, shape = objective.logits.shape
    return (objective.judged[0].question, shape.rank == 2 ? shape[1] : 2)
  }

  /// Where a task has its head and statistics; one of several has them where all of them put it.
  private static func place(of part: String, _ whole: any PretextTask, _ scope: Scope) -> Scope { (whole as? Multi)?.place(of: part, in: scope) ?? scope }

  /// A task's own graph.
  private static func built(
    _ task: any PretextTask, place: (Scope) -> Scope, _ backbone: any Backbone, side: Int, classes: Int, batch: Int, mode: Scope.Mode
  ) -> (scope: Scope, inputs: [String: Value], objective: Objective) {
    let builder = GraphBuilder(), scope = Scope(builder, mode: mode), shapes = task.fields(side: side, classes: classes)
    let inputs = Dictionary(uniqueKeysWithValues: shapes.sorted { $0.key < $1.key }.map { ($0, builder.input($0, [batch] + $1)) })
    return (scope, inputs, task.objective(inputs, backbone: backbone, in: place(scope)))
  }

  /// Those numbers of a network that a program with some of its heads takes.
  private static func laidOut(_ weights: Weights, for program: Program) -> Weights {
    var own = Weights(program.parameters)
    if own.slots == weights.slots { return weights }
    for slot in own.slots { own[slot.path] = weights[slot.path] }
    return own
  }

  /// The fields of this part in a batch of all tasks.
  func ownFields(_ fields: [String: Tensor<Float>]) -> [String: Tensor<Float>] {
    guard !part.isEmpty else { return fields }
    let prefix = part + "."
    return Dictionary(uniqueKeysWithValues: fields.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
  }

  /// What `Example.truth` says.
  static func truth(_ fields: [String: Tensor<Float>], _ question: Question) -> Int {
    guard let target = question.target.flatMap({ fields[$0] }) else { return 0 }
    switch question.rule {
    case .largest:
      guard target.elements.count > 1 else { return target.elements[0] > 0.5 ? 1 : 0 }
      return target.elements.indices.max { target.elements[$0] < target.elements[$1] }!
    case .within: return target.elements.prefix(8).reduce(0) { 2 * $0 + ($1 > 0 ? 1 : 0) }
    case .retrieval, .explaining: return 0
    }
  }

  /// The same task and network on pictures of another mean and deviation; those of white noise where left out.
  func scaled(by scaling: InputScaling = InputScaling(mean: 0, deviation: 1)) throws(InputError) -> TaskExaminer {
    var other = checkpoint
    other.description.scaling = scaling
    return try TaskExaminer(other, path: path, task: whole, part: part)
  }
}
