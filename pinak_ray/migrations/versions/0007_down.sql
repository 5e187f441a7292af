DROP TABLE pinak.memory_links, pinak.link_queue
