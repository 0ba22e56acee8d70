import Corpora
import Host
import Pretexts
import Tensors

/// The pictures of one split that a run uses: as many of them in memory as a budget allows, 5 bytes a pixel, the others read from
/// the shards each time that they are wanted. Pictures are the same either way.
///
/// Those in memory are the first ones and stay there: in epochs of one look a picture no choice of them, and no replacing of one by
/// another, saves more reads.
public struct ImageSet: Sendable {
  public let records: [Record]
  /// The index of each record's label among `classes`; empty where the task makes its own answers.
  public let answers: [Int]
  /// The answers of the task, in order.
  public let classes: [String]

  /// Pixels along a side.
  public let side: Int
  private let reader: ImageReader
  /// What tasks and augmentations must know of a shot.
  private let needs: Set<ShotNeed>
  /// Signal scales by source, where they are needed.
  private let signals: [String: SignalScale]
  /// Panel maps by geometry, where they are used and known.
  private let panelMaps: [String: PanelMap]
  /// The shot next to each in its run, where one is needed.
  private let neighbours: [ShotNeighbour]
  /// The first pictures.
  private let resident: [StoredImage]

  /// The usual budget for pictures in memory: 1 GiB, which holds 13 107 of 128×128.
  public static let usualMemory = 1 << 30

  public var count: Int { records.count }
  /// How many pictures are in memory, and the bytes they take.
  public var residentCount: Int { resident.count }
  public var residentBytes: Int { resident.count * StoredImage.byteCount(height: side, width: side) }
  /// Why shards are read slowly, see `ImageReader.slowShards`.
  public var slowShards: [String: String] { reader.slowShards }

  /// Chooses what `include` and `exclude` leave of a split, in training narrowed down by the task's `frameChoice`, and loads
  /// pictures into `memory` bytes.
  ///
  /// Throws when nothing is left, when a record lacks what the task or an augmentation asks for (a label, a signal scale, a
  /// neighbouring shot), or when a shard is damaged.
  public init(
    _ corpus: Corpus, split: Split, include: [String: [String]], exclude: [String: [String]], task: any PretextTask,
    augmentations: [any Augmentation] = [], memory: Int = usualMemory
  ) throws(InputError) {
    let path = corpus.folder + "/manifest.json"
    for label in include.keys.sorted() + exclude.keys.sorted() where !corpus.labels.contains(label) {
      throw InputError(
        path: path, place: "labels", expected: "one of \(corpus.labels.joined(separator: ", "))", found: "label \"\(label)\" in the recipe")
    }
    for (label, values) in (include.map { ($0, $1) } + exclude.map { ($0, $1) }).sorted(by: { $0.0 < $1.0 }) {
      let known = corpus.classes(of: label)
      if let unknown = values.first(where: { !known.contains($0) }) {
        throw InputError(
          path: path, place: "label \(label)", expected: "one of \(known.joined(separator: ", "))", found: "\"\(unknown)\" in the recipe")
      }
    }
    if let label = task.label, !corpus.labels.contains(label) {
      throw InputError(
        path: path, place: "labels", expected: "one of \(corpus.labels.joined(separator: ", "))", found: "label \"\(label)\" in the recipe")
    }
    guard corpus.manifest.height == corpus.manifest.width else {
      throw InputError(
        path: path, place: "image size", expected: "square pictures for training", found: "\(corpus.manifest.height)×\(corpus.manifest.width)")
    }
    side = corpus.manifest.height
    guard side >= task.smallestSide else {
      throw InputError(
        path: path, place: "image size", expected: "at least \(task.smallestSide) pixels a side for this task", found: "\(side)")
    }
    do {
      try task.validate(side: side)
      // Of tasks that show pieces each piece is augmented by itself.
      let smallest = task.viewSides(of: side).min() ?? side
      for augmentation in augmentations { try augmentation.validate(side: smallest) }
    } catch {
      throw InputError(path: path, place: error.key, expected: error.expected, found: error.found)
    }
    needs = augmentations.reduce(task.needs) { $0.union($1.needs) }
    let included = corpus.records(in: split).filter(RecordFilter(include: include, exclude: exclude).accepts)
    guard !included.isEmpty else {
      throw InputError(path: path, place: "split \(split)", expected: "pictures that the recipe includes", found: "none")
    }
    let choice = split == .train ? task.frameChoice : nil
    let records = try choice.map { choice throws(InputError) in try ImageSet.chosen(choice, among: included, corpus) } ?? included
    let reader = try ImageReader(corpus, records), budget = memory / StoredImage.byteCount(height: side, width: side)
    resident = try (0..<min(records.count, budget)).concurrentMap { index throws(InputError) in try reader.image(index) }
    (self.records, self.reader) = (records, reader)
    signals = needs.contains(.signal) ? try SignalScale.bySource(of: corpus, records) : [:]
    let usesPanels = task.usesPanels || augmentations.contains { type(of: $0).usesPanels }
    panelMaps = usesPanels ? try PanelMap.byGeometry(of: corpus, records) : [:]
    neighbours = needs.contains(.neighbour) ? try ShotNeighbour.all(of: records, path: corpus.folder + "/records.csv") : []
    if let label = task.label {
      // Classes over the whole corpus as the recipe filters it, so that every split numbers them alike.
      let values = corpus.classes(of: label).filter { value in
        include[label].map { $0.contains(value) } ?? true && !(exclude[label]?.contains(value) ?? false)
      }
      guard values.count > 1 else {
        throw InputError(path: path, place: "label \(label)", expected: "at least two classes", found: "\(values)")
      }
      classes = task.classes(labels: values)
      var answers: [Int] = []
      for record in records {
        guard let value = record.labels[label], let index = values.firstIndex(of: value) else {
          throw InputError(
            path: path, place: "record \(record.id)", expected: "label \(label) among \(values.joined(separator: ", "))",
            found: record.labels[label] ?? "no such label")
        }
        answers.append(index)
      }
      self.answers = answers
    } else {
      classes = task.classes(labels: [])
      answers = []
    }
  }

  /// The named frames, or the richest ones; in the order of the records.
  private static func chosen(_ choice: FrameChoice, among records: [Record], _ corpus: Corpus) throws(InputError) -> [Record] {
    guard choice.records.isEmpty else {
      let known = Set(records.map(\.id)), wanted = Set(choice.records)
      if let missing = choice.records.first(where: { !known.contains($0) }) {
        throw InputError(
          path: corpus.folder + "/records.csv", place: "record \(missing)", expected: "a training picture that the recipe includes", found: "no such id")
      }
      return records.filter { wanted.contains($0.id) }
    }
    guard choice.count <= records.count else {
      throw InputError(
        path: corpus.folder + "/manifest.json", place: "split train", expected: "\(choice.count) pictures to choose", found: "\(records.count)")
    }
    let reader = try ImageReader(corpus, records)
    let richness = try records.indices.concurrentMap { index throws(InputError) in FrameChoice.richness(of: try reader.image(index).maskedImage) }
    // Equal ones in their order.
    let order = records.indices.sorted { richness[$0] != richness[$1] ? richness[$0] > richness[$1] : $0 < $1 }
    return order.prefix(choice.count).sorted().map { records[$0] }
  }

  /// Picture `index`, from memory or from its shard. Throws where the shard is damaged.
  public func image(_ index: Int) throws(InputError) -> MaskedImage {
    try (index < resident.count ? resident[index] : reader.image(index)).maskedImage
  }

  /// Picture `index` with all that the task and the augmentations must know of it.
  package func shot(_ index: Int) throws(InputError) -> Shot {
    let record = records[index]
    var shot = Shot(
      try image(index), answer: answers.isEmpty ? nil : answers[index], signal: signals[record.source],
      panels: panelMaps[record.geometry])
    if !neighbours.isEmpty {
      let neighbour = neighbours[index]
      shot.neighbour = .init(image: try image(neighbour.index), isLater: neighbour.isLater)
    }
    return shot
  }

  /// Mean and deviation over all measured pixels; `nil` when there are none or all are equal. Reads every picture once.
  public func scaling() throws(InputError) -> InputScaling? {
    let usual = 0.5
    let moments = try records.indices.concurrentMap { index throws(InputError) in PixelMoments(of: try image(index), minimumWeight: usual) }
    return InputScaling(moments.reduce(into: PixelMoments()) { $0.merge($1) }, minimumWeight: usual)
  }

  /// The scaling; throws where the pictures give none, naming the first measured pixel that is no number.
  func usableScaling(path: String) throws(InputError) -> InputScaling {
    if let scaling = try scaling(), scaling.mean.isFinite, scaling.deviation.isFinite { return scaling }
    if let (record, pixel) = try firstNotFinite() {
      throw InputError(
        path: path, place: "record \(record), pixel \(pixel / side), \(pixel % side)", expected: "a finite number", found: "NaN or infinity")
    }
    throw InputError(path: path, place: "split train", expected: "pictures with measured, varying pixels", found: "none")
  }

  /// The scaling that a run of `recipe` begins with: its templates included, where the recipe projects them. Reads every picture once or twice.
  ///
  /// Throws where the pictures give none, naming the first measured pixel that is no number.
  package func scaling(for recipe: TrainingRecipe) throws(InputError) -> InputScaling {
    var scaling = try usableScaling(path: recipe.corpus)
    if recipe.projectsTemplate { scaling.templates = try templates(scaling) }
    return scaling
  }

  /// What the mean picture of each source says of left and right, above and below; `nil` where none says anything. Reads every picture once.
  func templates(_ scaling: InputScaling) throws(InputError) -> HandednessTemplates? {
    var sums: [String: [Double]] = [:], counts: [String: Double] = [:]
    for (index, record) in records.enumerated() {
      let channel = scaling.channel(try image(index)).elements
      sums[record.source, default: Array(repeating: 0, count: channel.count)].add(channel)
      counts[record.source, default: 0] += 1
    }
    return HandednessTemplates(
      means: sums.sorted { $0.key < $1.key }.map { name, sum in Tensor([side, side], sum.map { Float($0 / counts[name]!) }) })
  }

  /// The first measured pixel that is NaN or infinite: its record and its place in the picture, row-major. Reads pictures up to it.
  private func firstNotFinite() throws(InputError) -> (record: String, pixel: Int)? {
    for index in records.indices {
      let picture = try image(index)
      let pixel = picture.pixels.elements.indices.first { picture.weight.elements[$0] > 0 && !picture.pixels.elements[$0].isFinite }
      if let pixel { return (records[index].id, pixel) }
    }
    return nil
  }
}

extension [Double] {
  /// Adds number by number.
  fileprivate mutating func add(_ other: [Float]) { for i in indices { self[i] += Double(other[i]) } }
}
