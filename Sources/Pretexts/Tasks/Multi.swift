import Graphs
import Host
import Networks
import Tensors

/// Several tasks at once on one backbone: `tasks: [{name: flip, weight: 1, settings: {…}}, …]`, and the loss is the weighted sum of theirs.
///
/// Each task makes its own example of every picture, from random numbers of its own, and has its own head under `head.<name>`. Fields
/// are called `<name>.<field>`. A name that occurs twice gets a number: `flip`, `flip-2`.
///
/// Each task's pictures are normalised among themselves while training, so each is judged by running statistics of its own: the first task's are the
/// trunk's, those of the others are kept beside it, under `statistics.<name>`.
public struct Multi: PretextTask {
  public static let name = "multi"
  public var tasks: [Part]

  /// One of the tasks with its share in the loss.
  public struct Part: Sendable {
    public var task: any PretextTask
    public var weight: Double
    public init(_ task: any PretextTask, weight: Double = 1) { (self.task, self.weight) = (task, weight) }
  }

  public init() { tasks = [Part(Flip()), Part(CropPosition())] }
  public init(_ tasks: [Part]) { self.tasks = tasks }

  /// What each task's fields and head are called.
  var keys: [String] {
    let names = tasks.map { type(of: $0.task).name }
    return names.indices.map { index in
      let number = names[...index].count { $0 == names[index] }
      return number == 1 ? names[index] : "\(names[index])-\(number)"
    }
  }
  package var keyed: [(key: String, part: Part)] { Array(zip(keys, tasks)) }

  /// Where task `key` has its head and its statistics.
  package func place(of key: String, in scope: Scope) -> Scope {
    let place = scope.leading("head", to: "head.\(key)")
    return key == keys.first ? place : place.inCompany(key)
  }

  public var label: String? { tasks.lazy.compactMap(\.task.label).first }
  public var runsABatch: Int? { tasks.lazy.compactMap(\.task.runsABatch).first }
  public var frameChoice: FrameChoice? { tasks.lazy.compactMap(\.task.frameChoice).first }
  public var usesPanels: Bool { tasks.contains { $0.task.usesPanels } }
  public var needs: Set<ShotNeed> { tasks.reduce([]) { $0.union($1.task.needs) } }
  public var answers: [Symmetry] { Symmetry.allCases.filter { symmetry in tasks.contains { $0.task.answers.contains(symmetry) } } }
  public var asks: Set<Transformation> { tasks.reduce([]) { $0.union($1.task.asks) } }
  public func centralPiece(of image: MaskedImage) -> MaskedImage? { tasks.lazy.compactMap { $0.task.centralPiece(of: image) }.first }
  public var smallestSide: Int { tasks.map(\.task.smallestSide).max() ?? 1 }
  public func viewSides(of side: Int) -> [Int] { Array(Set(tasks.flatMap { $0.task.viewSides(of: side) })).sorted() }

  public func conflict(with augmentations: [any Augmentation]) -> AnswerConflict? {
    tasks.lazy.compactMap { $0.task.conflict(with: augmentations) }.first
  }

  public func validate() throws(SettingError) {
    try SettingError.require((2...16).contains(tasks.count), "tasks", "2 to 16 tasks", tasks.count)
    for (index, part) in tasks.enumerated() {
      try SettingError.require(!(part.task is Multi), "tasks.[\(index)].name", "a task by itself", Multi.name)
      try SettingError.require(part.weight > 0 && part.weight.isFinite, "tasks.[\(index)].weight", "above 0", part.weight)
      do { try part.task.validate() } catch {
        throw SettingError(key: "tasks.[\(index)].settings.\(error.key)", expected: error.expected, found: error.found)
      }
    }
    try SettingError.require(Set(tasks.compactMap(\.task.label)).count < 2, "tasks", "tasks that ask for one label", "several")
    try SettingError.require(
      Set(tasks.map(\.task.frameChoice)).count < 2, "tasks", "tasks that use the same frames", "several choices of frames")
    let runs = Set(tasks.compactMap(\.task.runsABatch)).sorted()
    try SettingError.require(runs.count < 2, "tasks", "tasks that take a batch from as many runs", runs)
  }

  public func validate(side: Int) throws(SettingError) { for part in tasks { try part.task.validate(side: side) } }
  public func validate(backbone: any Backbone) throws(SettingError) { for part in tasks { try part.task.validate(backbone: backbone) } }

  public func classes(labels: [String]) -> [String] {
    keyed.flatMap { key, part in part.task.classes(labels: labels).map { "\(key): \($0)" } }
  }

  public func chance(batch: Int) -> (share: Double, rule: String)? {
    let shares = tasks.map { part in part.task.chance(batch: batch)?.share ?? 1 / Double(max(1, part.task.classes(labels: []).count)) }
    return label == nil ? (shares.reduce(0, +) / Double(shares.count), "the mean over the tasks") : nil
  }

  public func fields(side: Int, classes: Int) -> [String: Shape] {
    // The classes of tasks without a label are known; the others share what is left.
    let known = tasks.filter { $0.task.label == nil }.map { $0.task.classes(labels: []).count }.reduce(0, +)
    let asking = max(1, tasks.count { $0.task.label != nil })
    return keyed.reduce(into: [:]) { fields, entry in
      let own = entry.part.task.label == nil ? entry.part.task.classes(labels: []).count : (classes - known) / asking
      for (name, shape) in entry.part.task.fields(side: side, classes: own) { fields["\(entry.key).\(name)"] = shape }
    }
  }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    for (key, part) in keyed {
      var own = random.keyed(key)
      batch.prefix = key + "."
      part.task.makeExample(from: shot, in: context, using: &own, into: &batch, at: place)
    }
    batch.prefix = ""
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    var loss: Value?, judged: [(question: Question, values: Value)] = []
    for (key, part) in keyed {
      let own = Dictionary(uniqueKeysWithValues: batch.filter { $0.key.hasPrefix(key + ".") }.map { (String($0.key.dropFirst(key.count + 1)), $0.value) })
      let objective = part.task.objective(own, backbone: backbone, in: place(of: key, in: scope))
      let share = objective.loss.scaled(by: part.weight)
      loss = loss.map { $0 + share } ?? share
      judged += objective.judged.map { ($0.question.within(key), $0.values) }
    }
    return Objective(loss: loss!, judged: judged)
  }
}

extension Multi.Part: Codable, Hashable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case name, weight, settings }

  public init(from decoder: any Decoder) throws {
    let place = decoder.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    guard case .object(let given) = try JSONValue(from: decoder) else {
      throw InputError(path: "", place: place, expected: "a task: name, weight, settings", found: "something else")
    }
    if let unknown = given.keys.sorted().first(where: { CodingKeys(stringValue: $0) == nil }) {
      throw InputError(path: "", place: "\(place).\(unknown)", expected: "one of the keys name, settings, weight", found: "unknown key \"\(unknown)\"")
    }
    let box = try decoder.container(keyedBy: CodingKeys.self), name = try box.decode(String.self, forKey: .name)
    guard let type = PretextTaskCatalog.named(name) else {
      throw InputError(
        path: "", place: "\(place).name", expected: "one of \(PretextTaskCatalog.all.map { $0.name }.joined(separator: ", "))", found: "\"\(name)\"")
    }
    func value<Task: PretextTask>(_ usual: Task) throws(InputError) -> any PretextTask {
      try JSONValue.of(usual).overlaid(with: given["settings"] ?? .object([:]), path: "", place: "\(place).settings")
        .decoded(as: Task.self, path: "", place: "\(place).settings")
    }
    self.init(try value(type.init()), weight: try box.decodeIfPresent(Double.self, forKey: .weight) ?? 1)
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(type(of: task).name, forKey: .name)
    try box.encode(weight, forKey: .weight)
    try box.encode(task, forKey: .settings)
  }

  public static func == (a: Multi.Part, b: Multi.Part) -> Bool { a.weight == b.weight && AnyHashable(a.task) == AnyHashable(b.task) }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(weight)
    hasher.combine(AnyHashable(task))
  }
}
