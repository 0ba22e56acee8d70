import Foundation
import Host

/// What a corpus is made of: the whole recipe, as written in YAML. The same recipe and sources give the same bytes.
public struct CorpusRecipe: Codable, Hashable, Sendable {
  public var name: String
  public var seed: UInt64
  public var image: ImageSize
  public var tone: ToneMap
  public var split: SplitRule
  /// The share of measured pixels below which a picture is refused; 0...1.
  public var minimumCoverage: Double
  /// Pictures a shard; `nil`: as many as make 64 MiB.
  public var imagesPerShard: Int?
  public var sources: [SourceRecipe]

  /// Rows and columns of every picture. Odd sizes have a pixel on the mirror axis, so a flip moves no pixel by half a step.
  public struct ImageSize: Codable, Hashable, Sendable {
    public var height: Int
    public var width: Int
    public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

    enum CodingKeys: String, CodingKey, CaseIterable { case height, width }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      (height, width) = (try box.required(.height), try box.required(.width))
      for (key, extent) in [(CodingKeys.height, height), (.width, width)] where !(1...8192).contains(extent) {
        throw box.refused(key, expected: "1 to 8192", found: "\(extent)")
      }
    }
  }

  public init(
    name: String, seed: UInt64 = 0, image: ImageSize, tone: ToneMap = ToneMap(), split: SplitRule = SplitRule(),
    minimumCoverage: Double = 0, imagesPerShard: Int? = nil, sources: [SourceRecipe]
  ) {
    (self.name, self.seed, self.image, self.tone, self.split) = (name, seed, image, tone, split)
    (self.minimumCoverage, self.imagesPerShard, self.sources) = (minimumCoverage, imagesPerShard, sources)
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, seed, image, tone, split, minimumCoverage, imagesPerShard, sources
  }

  public init(from decoder: any Decoder) throws {
    let box = try StrictContainer<CodingKeys>(decoder)
    self.init(
      name: try box.required(.name), seed: try box.value(.seed, or: 0), image: try box.required(.image),
      tone: try box.value(.tone, or: ToneMap()), split: try box.value(.split, or: SplitRule()),
      minimumCoverage: try box.value(.minimumCoverage, or: 0), imagesPerShard: try box.optional(.imagesPerShard),
      sources: try box.required(.sources))
    guard !name.isEmpty else { throw box.refused(.name, expected: "a name", found: "an empty one") }
    guard minimumCoverage >= 0, minimumCoverage <= 1 else {
      throw box.refused(.minimumCoverage, expected: "a share from 0 to 1", found: "\(minimumCoverage)")
    }
    if let imagesPerShard, !(1...1_000_000).contains(imagesPerShard) {
      throw box.refused(.imagesPerShard, expected: "1 to 1000000", found: "\(imagesPerShard)")
    }
    guard !sources.isEmpty else { throw box.refused(.sources, expected: "at least one source", found: "none") }
    var names: Set<String> = []
    for source in sources where !names.insert(source.name).inserted {
      throw box.refused(.sources, expected: "different names", found: "\"\(source.name)\" twice")
    }
  }

  /// Reads a recipe; unknown keys, wrong types and impossible values are errors that name the file and the key path.
  public init(reading path: String) throws(InputError) {
    self = try YAMLText.value(CorpusRecipe.self, from: try AtomicFile.read(path), path: path)
  }

  public init(yaml text: String, path: String = "recipe") throws(InputError) {
    self = try YAMLText.value(CorpusRecipe.self, from: Data(text.utf8), path: path)
  }

  /// The recipe with every default written out and keys sorted; its SHA-256 identifies the recipe.
  public func yaml() throws(InputError) -> Data { try YAMLText.data(self) }

  /// What is allowed but probably not meant.
  public var warnings: [String] {
    var list: [String] = []
    if image.height % 2 == 0 || image.width % 2 == 0 {
      list.append("image \(image.height)×\(image.width): odd sizes keep a pixel on the mirror axis; even ones do not")
    }
    if split.by == .frame {
      list.append("SPLIT BY FRAME: neighbouring shots of one run are in train and test; scores do not speak about new runs")
    }
    if split.allowEmpty { list.append("split.allowEmpty: a split may be empty") }
    for source in sources where (source.tone ?? tone).perImage {
      list.append("source \(source.name): stretched per image, so brightness does not compare between pictures")
    }
    return list
  }

  var shardLength: Int {
    // 4 bytes a pixel and 1 a weight.
    imagesPerShard ?? min(4096, max(1, (64 << 20) / (image.height * image.width * 5)))
  }
}
