import Corpora
import Pretexts
import Tensors
import Testing
import Training

/// From the geometry in the corpus's folder to the shot that augmentations see. One panel of 33×33 fills a picture of as many pixels, so each
/// shows a pixel of its own.
@Test func picturesOfAnAssembledDetectorComeWithItsPanels() throws {
  let assembled = try TinyCorpus(isAssembled: true), plain = try TinyCorpus()
  func panels(_ corpus: TinyCorpus, _ augmentations: [any Augmentation]) throws -> PanelMap? {
    let pictures = try ImageSet(
      Corpus(opening: corpus.corpus), split: .train, include: [:], exclude: [:], task: Flip(), augmentations: augmentations)
    return try pictures.shot(0).panels
  }
  let map = try #require(try panels(assembled, [TileGain()]))
  #expect(map.shape == [33, 33] && map.panelCount == 1 && map.panels.elements.allSatisfy { $0 == 0 })
  #expect(Set(zip(map.rows.elements, map.columns.elements).map { Int($0) * 33 + Int($1) }) == Set(0..<33 * 33))
  #expect(try panels(plain, [TileGain()]) == nil, "pictures of no assembled detector have no panels")
  // Each pixel is the mean of one: what photon noise needs to know.
  func pixels(_ corpus: TinyCorpus) throws -> Set<Double?> {
    let opened = try Corpus(opening: corpus.corpus)
    return Set(try SignalScale.bySource(of: opened, opened.records).values.map(\.pixels))
  }
  #expect(map.pixelsAPixel == 1)
  #expect(try pixels(assembled) == [1] && pixels(plain) == [nil])
}
