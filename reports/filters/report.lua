-- What Quarto does by itself, for the built-in renderer: numbers of sections, figures, tables and
-- equations, references to them, callouts, text alternatives. Runs after blocks.lua and before citeproc.

local target = FORMAT:match("typst") and "typst" or FORMAT:match("docx") and "docx" or "html"
local words = { fig = "Figure", tbl = "Table", sec = "Section", eq = "Equation" }
local counts = { fig = 0, tbl = 0, eq = 0 }
local numbers = {}
local bookmark = 900

local function kind_of(id)
  local kind = id:match("^(%a+)%-")
  return words[kind] and kind
end

local function raw_inline(text)
  return pandoc.RawInline(target == "docx" and "openxml" or target, text)
end

local function raw_block(text)
  return pandoc.RawBlock(target == "docx" and "openxml" or target, text)
end

local function escape_xml(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

local function escape_typst(text)
  return (text:gsub('[\\"]', "\\%0"))
end

-- Word bookmarks take letters, digits and underscores only.
local function bookmark_name(id)
  return "_" .. id:gsub("[^%w]", "_")
end

-- Sections are counted as every renderer counts them: headings of class unnumbered are left out.
local function number_sections(document)
  local levels = { 0, 0, 0, 0, 0, 0 }
  document:walk({
    traverse = "topdown",
    Header = function(header)
      if header.classes:includes("unnumbered") then
        return nil, false
      end
      levels[header.level] = levels[header.level] + 1
      for deeper = header.level + 1, 6 do
        levels[deeper] = 0
      end
      numbers[header.identifier] = table.concat(levels, ".", 1, header.level)
      return nil, false
    end,
  })
end

local function equation_label(block)
  local last = block.content[#block.content]
  local first = block.content[1]
  if not (first and first.t == "Math" and first.mathtype == "DisplayMath") then
    return nil
  end
  return last.t == "Str" and last.text:match("^{#(eq%-[%w_-]+)}$") or nil
end

local function count(kind, id)
  counts[kind] = counts[kind] + 1
  numbers[id] = tostring(counts[kind])
end

local function number_exhibits(document)
  document:walk({
    traverse = "topdown",
    Figure = function(figure)
      if kind_of(figure.identifier) == "fig" then
        count("fig", figure.identifier)
      end
    end,
    Table = function(tbl)
      if kind_of(tbl.identifier) == "tbl" then
        count("tbl", tbl.identifier)
      end
    end,
    Para = function(para)
      local id = equation_label(para)
      if id then
        count("eq", id)
      end
    end,
  })
end

-- A caption's "Figure 1: ". Word gets a field, so that its own numbering goes on when it is edited.
local function caption_prefix(kind, id)
  local word, number = words[kind], numbers[id]
  if target == "docx" then
    bookmark = bookmark + 1
    return {
      raw_inline(string.format(
        '<w:bookmarkStart w:id="%d" w:name="%s"/><w:r><w:t xml:space="preserve">%s </w:t></w:r>'
          .. '<w:fldSimple w:instr=" SEQ %s \\* ARABIC "><w:r><w:t>%s</w:t></w:r></w:fldSimple>'
          .. '<w:bookmarkEnd w:id="%d"/><w:r><w:t xml:space="preserve">: </w:t></w:r>',
        bookmark, bookmark_name(id), word, word, number, bookmark)),
    }
  end
  return {
    pandoc.Span({ pandoc.Str(word .. "\u{a0}" .. number .. ":") }, { class = "caption-label" }),
    pandoc.Space(),
  }
end

local function with_prefix(caption, kind, id)
  if target == "typst" or not numbers[id] then
    return caption
  end
  local first = caption.long[1]
  if first then
    local content = pandoc.List(caption_prefix(kind, id))
    content:extend(first.content)
    first.content = content
    caption.long[1] = first
  end
  return caption
end

local function one_reference(id)
  local kind, number = kind_of(id), numbers[id]
  if not number then
    error("?@" .. id .. " leads nowhere")
  end
  local text = words[kind] .. "\u{a0}" .. number
  if target == "typst" then
    return raw_inline(string.format("#link(<%s>)[%s]", id, text:gsub("\u{a0}", "~")))
  end
  if target == "docx" and (kind == "fig" or kind == "tbl") then
    return raw_inline(string.format(
      '<w:fldSimple w:instr=" REF %s \\h "><w:r><w:t xml:space="preserve">%s</w:t></w:r></w:fldSimple>',
      bookmark_name(id), text))
  end
  return pandoc.Link(text, "#" .. id, "", { class = "cross-reference" })
end

local function reference(cite)
  local inlines = pandoc.List()
  for position, citation in ipairs(cite.citations) do
    if not kind_of(citation.id) then
      return nil
    end
    if position > 1 then
      inlines:extend({ pandoc.Str(","), pandoc.Space() })
    end
    inlines:extend(citation.prefix)
    if #citation.prefix > 0 then
      inlines:insert(pandoc.Space())
    end
    inlines:insert(one_reference(citation.id))
  end
  return inlines
end

-- Share of the text's width at which a tall picture still leaves room for its caption on the page.
local function page_width(image)
  local tallest = 1.3
  local _, content = pandoc.mediabag.fetch(image.src)
  local size = pandoc.image.size(content)
  return string.format("%.1f%%", 100 * math.min(1, tallest * size.width / size.height))
end

local function figure(fig)
  if kind_of(fig.identifier) ~= "fig" then
    return nil
  end
  fig.caption = with_prefix(fig.caption, "fig", fig.identifier)
  return fig:walk({
    Image = function(image)
      local alternative = image.attributes["fig-alt"]
      image.attributes["fig-alt"] = nil
      alternative = alternative or pandoc.utils.stringify(image.caption)
      if target == "typst" then
        return raw_inline(string.format(
          '#image("%s", alt: "%s")', image.src, escape_typst(alternative)))
      elseif target == "docx" then
        image.caption = { pandoc.Str(alternative) }
        image.attributes["width"] = page_width(image)
      else
        image.attributes["alt"] = alternative
      end
      return image
    end,
  })
end

local function scrolling(tbl, label)
  return pandoc.Div({ tbl }, pandoc.Attr("", { "table-scroll" }, {
    { "tabindex", "0" },
    { "role", "region" },
    { "aria-labelledby", label },
  }))
end

local function exhibit_table(tbl)
  if kind_of(tbl.identifier) ~= "tbl" then
    return nil
  end
  tbl.caption = with_prefix(tbl.caption, "tbl", tbl.identifier)
  if target ~= "html" then
    return tbl
  end
  -- The caption stands outside of the part that scrolls sideways on a narrow screen.
  local id, label = tbl.identifier, tbl.identifier .. "-caption"
  local blocks = pandoc.List({
    raw_block(string.format('<figure class="table" id="%s">\n<figcaption id="%s">', id, label)),
  })
  blocks:extend(tbl.caption.long)
  blocks:insert(raw_block("</figcaption>"))
  tbl.caption = pandoc.Caption({})
  tbl.attr = pandoc.Attr("", {}, { { "aria-labelledby", label } })
  blocks:insert(scrolling(tbl, label))
  blocks:insert(raw_block("</figure>"))
  return blocks
end

-- A formula's text alternative in the PDF is its TeX source, as screen readers are used to.
local function typst_math(math, label)
  local written = pandoc.write(pandoc.Pandoc({ pandoc.Plain({ math }) }), "typst")
  return raw_inline(string.format('#math.equation(block: %s, alt: "%s", %s)%s',
    tostring(math.mathtype == "DisplayMath"), escape_typst(math.text),
    (written:gsub("^%s+", ""):gsub("%s+$", "")), label or ""))
end

local function equation(para)
  local id = equation_label(para)
  if not id then
    return nil
  end
  local math = para.content[1]
  if target == "typst" then
    return pandoc.Para({ typst_math(math, " <" .. id .. ">") })
  end
  local number = "(" .. numbers[id] .. ")"
  if target == "docx" then
    -- Word has no numbered display: tab stops of the style put the formula in the middle.
    local tab = raw_inline("<w:r><w:tab/></w:r>")
    local inline = pandoc.Span({ pandoc.Math("InlineMath", math.text) }, { id = id })
    return pandoc.Div({ pandoc.Para({ tab, inline, tab, pandoc.Str(number) }) },
      { ["custom-style"] = "Equation" })
  end
  return pandoc.Div({
    pandoc.Plain({ math }),
    pandoc.Plain({ pandoc.Span({ pandoc.Str(number) }, { class = "equation-number" }) }),
  }, pandoc.Attr(id, { "equation" }))
end

-- Lua goes through a table's named keys in no fixed order: attributes and loops that end up in the
-- output are written as lists.
local callouts = { note = "Note", tip = "Tip", important = "Important", warning = "Warning",
  caution = "Caution" }

local function callout(div)
  for kind, word in pairs(callouts) do
    if div.classes:includes("callout-" .. kind) then
      local title = div.attributes["title"] or word
      local blocks = pandoc.List()
      if target == "typst" then
        blocks:insert(raw_block(string.format(
          '#report-callout(kind: "%s", title: "%s")[', kind, escape_typst(title))))
        blocks:extend(div.content)
        blocks:insert(raw_block("]"))
        return blocks
      elseif target == "docx" then
        local severe = kind ~= "note" and kind ~= "tip"
        local style = severe and "Callout Warning" or "Callout Note"
        blocks:insert(pandoc.Div({ pandoc.Para(pandoc.Str(title)) },
          { ["custom-style"] = style .. " Title" }))
        blocks:insert(pandoc.Div(div.content, { ["custom-style"] = style }))
        return blocks
      end
      blocks:insert(pandoc.Div({ pandoc.Plain(pandoc.Str(title)) }, { class = "callout-title" }))
      blocks:extend(div.content)
      return pandoc.Div(blocks, pandoc.Attr("", { "callout", "callout-" .. kind }, {
        { "role", "note" },
        { "aria-label", title },
      }))
    end
  end
  return nil
end

-- Word's style of tight paragraphs is that of table cells: lists take that of the text.
local function loose(list)
  if target ~= "docx" then
    return nil
  end
  return list:walk({
    Plain = function(plain)
      return pandoc.Para(plain.content)
    end,
  })
end

-- The note of a table follows it, in the PDF as blocks.lua wrote it: one function keeps both together.
local function kept_together(blocks)
  local kept = pandoc.List()
  local noted = false
  for position, block in ipairs(blocks) do
    local following = blocks[position + 1]
    local exhibit = block.t == "Table" and kind_of(block.identifier) == "tbl"
    if exhibit then
      kept:insert(raw_block(string.format('#with-note(name: "%s")[', block.identifier)))
      noted = following and following.t == "RawBlock" and following.text == "#table-note["
    end
    kept:insert(block)
    if exhibit and not noted or noted and block.t == "RawBlock" and block.text == "]" then
      kept:insert(raw_block("]"))
      noted = false
    end
  end
  return kept
end

function Pandoc(document)
  number_sections(document)
  number_exhibits(document)
  if target == "typst" then
    document = document:walk({ Blocks = kept_together })
  end
  return document:walk({
    Cite = reference,
    Figure = figure,
    Table = exhibit_table,
    Para = equation,
    Math = function(math)
      if target == "typst" and math.mathtype == "InlineMath" then
        return typst_math(math)
      end
    end,
    BulletList = loose,
    OrderedList = loose,
    Div = callout,
  })
end
