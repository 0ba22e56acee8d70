import Corpora
import Engine
import Evaluation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// A trained network with its task, ready to be examined on any pictures. The task itself makes the examples, so that every
/// control goes through the very code that the training went through. Belongs to one thread.
public final class TaskExaminer {
  public let checkpoint: Checkpoint
  public let task: any PretextTask
  public let classes: [String]
  private let backbone: any Backbone
  private let batch: Int
  private var plans: [Scope.Mode: (plan: Plan, program: Program, target: String)] = [:]
  /// Moved by training-mode runs, which are none of the network's business.
  private var gradients: Weights?

  /// - Parameter task: in place of the catalogue's task of that name.
  /// Throws where the checkpoint's task or backbone cannot be had, or where the task has no classes to tell apart.
  public init(_ checkpoint: Checkpoint, path: String, task: (any PretextTask)? = nil, batch: Int = 64) throws(InputError) {
    let recipe = checkpoint.description.recipe
    self.checkpoint = checkpoint
    self.batch = batch
    if let task { self.task = task } else { self.task = try recipe.task.task(path: path) }
    backbone = try recipe.backbone.backbone(path: path)
    classes = checkpoint.description.classes
    guard classes.count > 1 else {
      throw InputError(path: path, place: "recipe.task", expected: "a task with two or more classes", found: "\(recipe.task.name): \(classes.count)")
    }
  }

  public var side: Int { checkpoint.description.side }
  public var scaling: InputScaling { checkpoint.description.scaling }
  /// What guessing reaches.
  public var chance: Double { 1 / Double(classes.count) }

  /// One example as the task made it.
  public struct Example: Sendable {
    public let fields: [String: Tensor<Float>]
    /// The right answer, an index into the classes.
    public let truth: Int
    /// Which picture and which run it is of.
    public let picture: Int
    public let run: Int

    public init(fields: [String: Tensor<Float>], truth: Int, picture: Int, run: Int) {
      (self.fields, self.truth, self.picture, self.run) = (fields, truth, picture, run)
    }
  }

  /// Examples number `range` of `pictures`: example n is look n / count at picture n % count. Which answer it has is the task's draw, from
  /// a generator of (seed, picture, look) alone.
  public func examples(
    of pictures: Pictures, _ range: Range<Int>, augmenting: Bool = false, seed: UInt64 = 0
  ) throws(InputError) -> [Example] {
    guard pictures.count > 0 else { return [] }
    let shapes = task.fields(side: side, classes: classes.count), target = try self.target
    let (task, scaling, classCount) = (self.task, self.scaling, classes.count)
    return try range.concurrentMap { number throws(InputError) -> Example in
      let picture = number % pictures.count, look = number / pictures.count
      var random = Philox(seed: seed, 70, UInt64(picture), UInt64(look)), batch = ExampleBatch(shapes, count: 1)
      let context = ExampleContext(scaling: scaling, isAugmenting: augmenting)
      task.makeExample(from: try pictures.shot(picture), in: context, using: &random, into: &batch, at: 0)
      let fields = Dictionary(uniqueKeysWithValues: shapes.map { ($0, batch.fields[$0]!.reshaped(to: $1)) })
      return Example(
        fields: fields, truth: TaskExaminer.answer(fields[target]!, classes: classCount), picture: picture, run: pictures.runs[picture])
    }
  }

  /// The first `count` examples of pictures, answered, a block at a time so that memory does not grow with `count`.
  public func sheet(of pictures: Pictures, count: Int, augmenting: Bool = false, seed: UInt64 = 0) throws -> AnswerSheet {
    var sheet = AnswerSheet(classes: classes.count)
    guard pictures.count > 0 else { return sheet }
    let block = 1024
    for first in Swift.stride(from: 0, to: count, by: block) {
      let part = first..<min(count, first + block)
      sheet.append(try answered(try examples(of: pictures, part, augmenting: augmenting, seed: seed)))
    }
    return sheet
  }

  /// The name of the field with the right answers.
  public var target: String {
    get throws(InputError) {
      if let known = plans.first?.value.target { return known }
      return try network(batch: 1, mode: .inference).target
    }
  }

  /// What the network says of examples. In training mode normalisation uses the batch's own statistics: `batches` then decide what the
  /// answers are, and a last one that is not full is left out.
  public func answered(_ examples: [Example], mode: Scope.Mode = .inference) throws -> AnswerSheet {
    var sheet = AnswerSheet(classes: classes.count)
    for start in Swift.stride(from: 0, to: examples.count, by: batch) {
      let count = min(batch, examples.count - start)
      if mode == .training, count < batch { break }
      let chosen = (0..<batch).map { examples[start + min($0, count - 1)] }
      let fields = Dictionary(uniqueKeysWithValues: chosen[0].fields.keys.map { name in (name, Tensor.stacked(chosen.map { $0.fields[name]! })) })
      let logits = try self.logits(fields, mode: mode)
      for row in 0..<count { sheet.append(TaskExaminer.credit(logits, row, examples[start + row].truth), examples[start + row]) }
    }
    return sheet
  }

  /// Examples a batch.
  public var batchSize: Int { batch }

  private func logits(_ fields: [String: Tensor<Float>], mode: Scope.Mode) throws -> Tensor<Float> {
    if plans[mode] == nil {
      let (program, target) = try network(batch: batch, mode: mode)
      plans[mode] = (try Plan(program, precision: .float32), program, target)
    }
    let (plan, program, _) = plans[mode]!
    guard mode == .training else { return try plan.evaluate(fields, checkpoint.weights)["logits"]! }
    // A copy: running averages move in training mode.
    var weights = checkpoint.weights
    if gradients == nil { gradients = Weights(program.parameters) }
    return try plan.run(fields.merging(program.maskFields(seed: 0, step: 0)) { own, _ in own }, &weights, gradients: &gradients!)["logits"]!
  }

  /// Of the first question that asks for a class.
  private func network(batch: Int, mode: Scope.Mode) throws(InputError) -> (program: Program, target: String) {
    let builder = GraphBuilder(), scope = Scope(builder, mode: mode), shapes = task.fields(side: side, classes: classes.count)
    let inputs = Dictionary(uniqueKeysWithValues: shapes.sorted { $0.key < $1.key }.map { ($0, builder.input($0, [batch] + $1)) })
    let objective = task.objective(inputs, backbone: backbone, in: scope)
    guard let (question, logits) = objective.judged.first(where: { $0.question.rule == .largest && $0.question.target != nil }),
      (logits.shape.rank == 2 ? logits.shape[1] : 2) == classes.count
    else {
      throw InputError(
        path: "", place: "recipe.task", expected: "a task that asks for one of its classes, which controls can be held against chance",
        found: checkpoint.description.recipe.task.name)
    }
    let program = Program(
      inputs: inputs.merging(scope.inputs) { own, _ in own }, parameters: scope.parameters, outputs: ["logits": logits],
      updates: mode == .training ? scope.updates : [:])
    return (program, question.target!)
  }

  /// The index of the right answer: of the largest number of a row, or of a number above one half.
  static func answer(_ target: Tensor<Float>, classes: Int) -> Int {
    guard target.elements.count > 1 else { return target.elements[0] > 0.5 ? 1 : 0 }
    return target.elements.indices.max { target.elements[$0] < target.elements[$1] }!
  }

  /// 1 for the right answer, 0 for a wrong one; equal logits share it, so that no answer is not taken for one.
  static func credit(_ logits: Tensor<Float>, _ row: Int, _ truth: Int) -> Double {
    guard logits.shape.rank == 2 else {
      let logit = logits.elements[row]
      return logit == 0 ? 0.5 : (logit > 0) == (truth == 1) ? 1 : 0
    }
    let own = logits.elements[row * logits.shape[1]..<(row + 1) * logits.shape[1]], top = own.max() ?? 0
    let best = own.count { $0 == top }
    return own[own.startIndex + truth] == top ? 1 / Double(best) : 0
  }
}

/// Pictures to be examined, by number, with the run of each.
public struct Pictures: Sendable {
  public let count: Int
  /// The run of each, as a number.
  public let runs: [Int]
  private let make: @Sendable (Int) throws(InputError) -> Shot

  /// - Parameter make: gives shot n of `runs.count`; the same one each time.
  public init(shots runs: [Int], _ make: @escaping @Sendable (Int) throws(InputError) -> Shot) {
    (count, self.runs, self.make) = (runs.count, runs, make)
  }

  /// Made-up pictures, whose pixel values are their signal and whose neighbour is another one of them.
  /// - Parameter answers: the index of each one's label among the classes; empty for tasks that make their own answers.
  public init(runs: [Int], answers: [Int] = [], _ make: @escaping @Sendable (Int) throws(InputError) -> MaskedImage) {
    precondition(answers.isEmpty || answers.count == runs.count, "\(answers.count) answers for \(runs.count) pictures")
    let count = runs.count, signal = SignalScale(unit: "", signal: { $0 }, value: { $0 })
    self.init(shots: runs) { index throws(InputError) in
      let neighbour = Shot.Neighbour(image: try make((index + 1) % count), isLater: index % 2 == 0)
      return Shot(try make(index), answer: answers.isEmpty ? nil : answers[index], signal: signal, neighbour: neighbour)
    }
  }

  public func shot(_ index: Int) throws(InputError) -> Shot { try make(index) }
  public func image(_ index: Int) throws(InputError) -> MaskedImage { try make(index).image }

  /// Each picture and the one of `other` in its place made into one. Traps where there are not as many.
  func joined(with other: Pictures, _ join: @escaping @Sendable (MaskedImage, MaskedImage) -> MaskedImage) -> Pictures {
    precondition(count == other.count, "\(count) pictures beside \(other.count)")
    let make = self.make
    return Pictures(shots: runs) { index throws(InputError) in
      var shot = try make(index)
      let twin = try other.make(index)
      shot.image = join(shot.image, twin.image)
      if let neighbour = shot.neighbour, let beside = twin.neighbour { shot.neighbour?.image = join(neighbour.image, beside.image) }
      return shot
    }
  }

  /// Each picture changed.
  public func mapped(_ change: @escaping @Sendable (MaskedImage) -> MaskedImage) -> Pictures {
    let make = self.make
    return Pictures(shots: runs) { index throws(InputError) in
      var shot = try make(index)
      shot.image = change(shot.image)
      if let neighbour = shot.neighbour { shot.neighbour?.image = change(neighbour.image) }
      return shot
    }
  }
}
